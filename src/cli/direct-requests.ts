/**
 * A proxy that Node was told to use (NODE_USE_ENV_PROXY) is for what is elsewhere: the nodes of this machine
 * are asked without it. Node reads these variables at each request, and the first that is set counts.
 */
export function askThisMachineDirectly(environment: NodeJS.ProcessEnv): void {
  const direct = environment['no_proxy'] ?? environment['NO_PROXY'];
  // With anything beside it, it would no longer stand for all.
  if (direct?.trim() === '*') return;
  const here = ['localhost', '127.0.0.1', '[::1]'];
  environment['no_proxy'] = [...(direct === undefined ? [] : [direct]), ...here].join(',');
}
