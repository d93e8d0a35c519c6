// The steps by name, in order. Each waits for a condition, and every wait has a limit (the page's default).
import { contentSteps } from './steps/content.js';
import { logInSteps } from './steps/log-in.js';
import { pagesSteps } from './steps/pages.js';
import { peopleSteps } from './steps/people.js';
import { recordingSteps } from './steps/recording.js';
import { reportsSteps } from './steps/reports.js';
import { signUpSteps } from './steps/sign-up.js';

export const steps = {
  ...signUpSteps,
  ...recordingSteps,
  ...reportsSteps,
  ...peopleSteps,
  ...contentSteps,
  ...pagesSteps,
  ...logInSteps,
};
