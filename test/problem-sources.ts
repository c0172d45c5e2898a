import { join } from 'node:path';
import {
  API,
  type Project,
  type StringLiteralType,
  SymbolFlags,
  TypeFlags,
  type UnionType,
} from 'typescript/unstable/sync';
import { type Expression, type Node, SyntaxKind } from 'typescript/unstable/ast';
import * as is from 'typescript/unstable/ast/is';
import { problemCodes, type ProblemCode } from '../src/base/problem-codes.ts';

/** What the sources say of a code: every remedy that may come with it, and whether it says itself that trying again may help. */
export interface Sources {
  readonly remedies: Set<string>;
  readonly retryable: Set<boolean>;
}

const root = join(import.meta.dirname, '..');
/** Stands for what only a run knows. */
const unknown = '…';
/** Stands for the words of `machineRemedy`, which the page shows in a table of their own. */
const byNameOfFault = 'By the name of the error, as for node/machine.';

/** What the parameters of a helper stand for in one call of it. */
type Bindings = ReadonlyMap<Node, Expression>;

/** Thrown by what depends on a parameter: who calls the function must be looked at. */
class AskCallers extends Error {
  readonly parameter: Node;

  constructor(parameter: Node) {
    super('the words are those of the callers');
    this.parameter = parameter;
  }
}

/**
 * Reads from the sources which problems are made, with the compiler's own eyes. Helpers that take code or remedy from their callers
 * (`notNow(state, code, why, remedy)`) are followed to them. What it cannot follow, it throws: a remedy has to stand where a reader finds it.
 */
export function readProblemSources(): ReadonlyMap<ProblemCode, Sources> {
  const api = new API({ cwd: root });
  try {
    const [project] = api.updateSnapshot({ openProject: join(root, 'tsconfig.json') }).getProjects();
    if (project === undefined) throw new Error('tsconfig.json opens no project');
    return new Reader(project).read();
  } finally {
    api.close();
  }
}

class Reader {
  readonly #project: Project;
  readonly #found = new Map<ProblemCode, Sources>();

  constructor(project: Project) {
    this.#project = project;
  }

  read(): ReadonlyMap<ProblemCode, Sources> {
    const { program } = this.#project;
    for (const name of program.getSourceFileNames()) {
      if (!isRead(name)) continue;
      const file = program.getSourceFile(name);
      if (file !== undefined) this.#visit(file);
    }
    return this.#found;
  }

  #visit(node: Node): void {
    if (is.isNewExpression(node) && is.isIdentifier(node.expression) && node.expression.text === 'Problem') {
      const [code, , options] = node.arguments ?? [];
      if (code === undefined || options === undefined) throw unclear(node);
      this.#follow(code, options, new Map());
    }
    if (is.isObjectLiteralExpression(node)) this.#row(node);
    node.forEachChild((child) => {
      this.#visit(child);
      return undefined;
    });
  }

  /** A row of a table, with code and remedy beside each other. */
  #row(row: Node): void {
    const code = property(row, 'code');
    const remedy = property(row, 'remedy');
    if (code === undefined || remedy === undefined || !is.isStringLiteral(code)) return;
    if (code.text in problemCodes) this.#note(code.text, this.#texts(remedy, new Map()), false);
  }

  #follow(code: Expression, options: Expression, bindings: Bindings): void {
    if (bindings.size > 20) throw unclear(code);
    try {
      const given = this.#resolve(options, bindings);
      if (given === undefined) return;
      const remedy = property(given, 'remedy');
      const texts = remedy === undefined ? [] : this.#texts(remedy, bindings);
      for (const each of this.#codes(code, bindings))
        this.#note(each, texts, this.#isRetryable(given, bindings));
    } catch (error) {
      if (!(error instanceof AskCallers)) throw error;
      const calls = this.#callsOf(error.parameter);
      if (calls.length === 0) throw unclear(code);
      for (const call of calls) this.#follow(code, options, new Map([...bindings, ...call]));
    }
  }

  #note(code: string, remedies: readonly string[], isRetryable: boolean): void {
    const known = this.#found.get(code as ProblemCode) ?? { remedies: new Set(), retryable: new Set() };
    for (const remedy of remedies) known.remedies.add(remedy);
    known.retryable.add(isRetryable);
    this.#found.set(code as ProblemCode, known);
  }

  #codes(code: Expression, bindings: Bindings): readonly string[] {
    const type = this.#project.checker.getTypeAtLocation(this.#resolve(code, bindings) ?? code);
    if (type === undefined) throw unclear(code);
    const members = (type.flags & TypeFlags.Union) === 0 ? [type] : (type as UnionType).getTypes();
    return members.flatMap((member) =>
      (member.flags & TypeFlags.StringLiteral) === 0 ? [] : [(member as StringLiteralType).value],
    );
  }

  #texts(expression: Expression, bindings: Bindings): readonly string[] {
    const node = this.#resolve(expression, bindings);
    if (node === undefined) return [];
    if (is.isStringLiteral(node) || is.isNoSubstitutionTemplateLiteral(node)) return [node.text];
    if (is.isConditionalExpression(node))
      return [...this.#texts(node.whenTrue, bindings), ...this.#texts(node.whenFalse, bindings)];
    if (is.isBinaryExpression(node))
      return [...this.#texts(node.left, bindings), ...this.#texts(node.right, bindings)];
    if (is.isTemplateExpression(node)) {
      return node.templateSpans.reduce(
        (heads: readonly string[], span) =>
          heads.flatMap((head) =>
            this.#span(span.expression).map((text) => `${head}${text}${span.literal.text}`),
          ),
        [node.head.text],
      );
    }
    if (is.isElementAccessExpression(node)) {
      const table = this.#resolve(node.expression, bindings);
      if (table !== undefined && is.isObjectLiteralExpression(table))
        return table.properties.flatMap((each) =>
          is.isPropertyAssignment(each) ? this.#texts(each.initializer, bindings) : [],
        );
    }
    if (isByName(node)) return [byNameOfFault];
    // Of a row of a table, or of a problem that is said again.
    if (is.isPropertyAccessExpression(node) || is.isCallExpression(node)) return [];
    throw unclear(node);
  }

  /** A piece of a sentence: what is written beside it as a constant, or what only a run knows. */
  #span(piece: Expression): readonly string[] {
    const constant = is.isIdentifier(piece) ? this.#declarationOf(piece) : undefined;
    const text = constant !== undefined && is.isVariableDeclaration(constant) ? constant.initializer : piece;
    if (text === undefined || is.isIdentifier(text)) return [unknown];
    try {
      const texts = this.#texts(text, new Map());
      return texts.length === 0 ? [unknown] : texts;
    } catch {
      return [unknown];
    }
  }

  /** The expression behind names and parameters; undefined behind a name that no expression gave. */
  #resolve(expression: Expression, bindings: Bindings): Expression | undefined {
    if (is.isAsExpression(expression) || is.isParenthesizedExpression(expression))
      return this.#resolve(expression.expression, bindings);
    if (!is.isIdentifier(expression)) return expression;
    const declaration = this.#declarationOf(expression);
    if (declaration === undefined) return undefined;
    const bound = bindings.get(declaration);
    if (bound !== undefined) return this.#resolve(bound, bindings);
    if (is.isParameterDeclaration(declaration)) throw new AskCallers(declaration);
    return is.isVariableDeclaration(declaration) && declaration.initializer !== undefined
      ? this.#resolve(declaration.initializer, bindings)
      : undefined;
  }

  #declarationOf(name: Node): Node | undefined {
    const { checker } = this.#project;
    const symbol = is.isShorthandPropertyAssignment(name.parent)
      ? checker.getShorthandAssignmentValueSymbol(name.parent)
      : checker.getSymbolAtLocation(name);
    // What is imported is written in another file.
    const written = symbol && symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return written?.valueDeclaration?.resolve();
  }

  #callsOf(parameter: Node): readonly Bindings[] {
    const owner = parameter.parent as Node & { readonly parameters: readonly Node[] };
    return this.#project.checker.getSignatureUsage(owner).flatMap(({ call }) => {
      const node = call?.resolve();
      if (node === undefined || !is.isCallExpression(node) || !isRead(node.getSourceFile().fileName))
        return [];
      const pairs = owner.parameters.flatMap((each, index) => {
        const given = node.arguments[index] ?? (each as { initializer?: Expression }).initializer;
        return given === undefined ? [] : [[each, given] as const];
      });
      return [new Map(pairs)];
    });
  }

  #isRetryable(given: Node, bindings: Bindings): boolean {
    const details = property(given, 'details');
    const shown = details === undefined ? undefined : this.#resolve(details, bindings);
    return shown !== undefined && property(shown, 'retryable')?.kind === SyntaxKind.TrueKeyword;
  }
}

/** Problems of others are only said again by the class itself, and the simulated disk and network say what the real ones say. */
function isRead(file: string): boolean {
  const inside = ['base/problem.ts', 'simulator/world/'];
  return (
    file.startsWith(join(root, 'src/')) && !inside.some((each) => file.startsWith(join(root, 'src', each)))
  );
}

function isByName(node: Node): boolean {
  return (
    is.isCallExpression(node) && is.isIdentifier(node.expression) && node.expression.text.endsWith('Remedy')
  );
}

function property(object: Node, name: string): Expression | undefined {
  if (!is.isObjectLiteralExpression(object)) return undefined;
  for (const each of object.properties) {
    if (is.isPropertyAssignment(each) && is.isIdentifier(each.name) && each.name.text === name)
      return each.initializer;
    if (is.isShorthandPropertyAssignment(each) && is.isIdentifier(each.name) && each.name.text === name)
      return each.name;
  }
  return undefined;
}

function unclear(node: Node): Error {
  const file = node.getSourceFile();
  return new Error(
    `${file.fileName}: which problem this makes cannot be read: ${node.getText(file).slice(0, 200)}`,
  );
}
