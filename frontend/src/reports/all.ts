import { activeUsers } from './active-users';
import { activity } from './activity';
import { funnel } from './funnel';
import { paths } from './paths';
import type { Report } from './report';
import { retention } from './retention';
import { sessions } from './sessions';
import { top } from './top';

/** What a reader can choose from; the first one is shown by itself. */
export const REPORTS: readonly [Report, ...Report[]] = [
  activity,
  activeUsers,
  retention,
  funnel,
  sessions,
  paths,
  top,
];
