import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import { LineBudget, StrangersBudget, type LineUse, type Standing } from '../../src/network/line-budget.ts';

const uses: readonly LineUse[] = ['frames', 'streams', 'bytes'];
const standings: readonly Standing[] = ['greeting', 'stranger', 'member'];

class Lines {
  now = 0;
  readonly strangers = new StrangersBudget(0);

  open(standing: Standing): LineBudget {
    const budget = new LineBudget(this.strangers, () => this.now);
    budget.standing = standing;
    return budget;
  }
}

void test('each standing has its rates, and past them the connection has to end', () => {
  for (const standing of standings) {
    for (const use of uses) {
      const lines = new Lines();
      const budget = lines.open(standing);
      const { burst, perSecond } = limits.line[standing][use];
      assert.equal(budget.take(use, burst), undefined);
      const problem = budget.take(use, 1);
      assert.ok(problem instanceof Problem, `${standing} ${use}`);
      assert.deepEqual(
        [problem.code, problem.details['use'], problem.details['standing']],
        ['network/too-much', use, standing],
      );
      lines.now += 1_000;
      assert.equal(budget.take(use, perSecond), undefined, 'a second later there is a second’s worth');
      assert.ok(budget.take(use, 1) instanceof Problem);
    }
  }
});

void test('the later standings are worth more', () => {
  for (const use of uses) {
    const [greeting, stranger, member] = standings.map((standing) => limits.line[standing][use].burst);
    assert.ok((greeting ?? 0) < (stranger ?? 0) && (stranger ?? 0) <= (member ?? 0), use);
  }
});

void test('an answer that we asked for is not held against the one who gives it', () => {
  const lines = new Lines();
  const budget = lines.open('stranger');
  const { burst } = limits.line.stranger.bytes;
  assert.equal(budget.take('bytes', burst), undefined);
  budget.expect(1_000);
  assert.equal(budget.take('bytes', 1_000), undefined);
  assert.ok(budget.take('bytes', 1) instanceof Problem);
  // However often we ask, no more is spoken for than can be on the way at once.
  for (let count = 0; count < 100; count++) budget.expect(limits.responseBytes);
  assert.equal(budget.take('bytes', limits.requestsPerPeer * limits.responseBytes), undefined);
  assert.ok(budget.take('bytes', 1) instanceof Problem);
});

void test('when strangers together send too much, those go who sent the most, until the rest fits', () => {
  const lines = new Lines();
  const all = limits.line.strangers.streams.burst;
  const each = limits.line.stranger.streams.burst;
  const greedy = Array.from({ length: 5 }, () => lines.open('stranger'));
  const modest = lines.open('stranger');
  const member = lines.open('member');
  // Each is still within its own rate; together they are not.
  assert.ok(all / greedy.length < each);
  for (const [index, budget] of greedy.entries())
    assert.equal(budget.take('streams', all / greedy.length + index - 2), undefined);
  assert.equal(modest.take('streams', 10), undefined, 'the modest stay');
  const isGone = (budget: LineBudget): boolean => budget.take('streams', 0) instanceof Problem;
  assert.deepEqual(greedy.map(isGone), [false, false, false, false, true], 'the greediest goes');
  assert.equal(isGone(modest), false);
  const greediest = greedy[4]?.fault?.details;
  assert.deepEqual([greediest?.['use'], greediest?.['standing']], ['streams', 'stranger']);
  assert.equal(member.take('streams', each), undefined, 'and members have nothing to do with it');
});

void test('strangers who send evenly what each may send as one are bounded as a whole, and who sends little stays', () => {
  const seconds = 30;
  for (const use of ['frames', 'messages', 'streams', 'bytes'] as const) {
    const lines = new Lines();
    const { perSecond } = limits.line.stranger[use];
    const all = limits.line.strangers[use];
    // For as long as anybody can remember.
    const modest = lines.open('stranger');
    const modestly = all.perSecond / limits.strangerConnections / 10;
    for (let step = 0; step < 1_000; step++, lines.now += 100)
      assert.equal(modest.take(use, modestly), undefined);
    let greedy = Array.from({ length: limits.strangerConnections - 1 }, () => lines.open('stranger'));
    let sent = 0;
    for (let step = 0; step < 10 * seconds; step++, lines.now += 100) {
      // As often as those from 64 blocks come back: a connection that is ended so counts against its block.
      if (step % 3 === 0) greedy.push(lines.open('stranger'));
      greedy = greedy.filter((budget) => {
        const isOver = budget.take(use, perSecond / 10) instanceof Problem;
        if (isOver) budget.standing = 'greeting';
        else sent += perSecond / 10;
        return !isOver;
      });
      assert.equal(modest.take(use, modestly), undefined, `${use} after ${step / 10} s`);
    }
    const most = all.burst + seconds * all.perSecond;
    assert.ok(sent <= 2 * most, `${sent} ${use}, where ${most} are for those who stay`);
  }
});

void test('nobody goes who sends no more than an equal part, even if all do', () => {
  const lines = new Lines();
  const { perSecond } = limits.line.strangers.frames;
  const all = Array.from({ length: limits.strangerConnections }, () => lines.open('stranger'));
  for (let step = 0; step < 600; step++, lines.now += 100) {
    for (const budget of all)
      assert.equal(budget.take('frames', perSecond / limits.strangerConnections / 10), undefined);
  }
});

void test('who is no stranger any more has no part in what strangers may send', () => {
  const lines = new Lines();
  const budget = lines.open('stranger');
  lines.open('stranger');
  assert.equal(lines.strangers.connections, 2);
  budget.standing = 'member';
  budget.standing = 'member';
  assert.equal(lines.strangers.connections, 1);
});
