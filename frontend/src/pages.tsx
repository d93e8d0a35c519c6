import { Route, Routes } from 'react-router';
import { PasswordPage } from './account/password-page';
import { SessionsPage } from './account/sessions-page';
import { MembersOnly } from './layout/members-only';
import { NotFoundPage } from './layout/not-found';
import { VisitorsOnly } from './layout/visitors-only';
import { OperationsPage } from './operations/operations-page';
import { OverviewPage } from './overview/overview-page';
import { PeoplePage } from './people/people-page';
import { ReportsPage } from './reports/reports-page';
import { ForgottenPasswordPage } from './sign-in/forgotten-password-page';
import { JoinPage } from './sign-in/join-page';
import { LogInPage } from './sign-in/log-in-page';
import { ResetPasswordPage } from './sign-in/reset-password-page';
import { SignUpPage } from './sign-in/sign-up-page';
import { TokensPage } from './tokens/tokens-page';

/** Which page an address shows. `/docs` is a document of its own. */
export function Pages() {
  return (
    <Routes>
      <Route element={<MembersOnly />}>
        <Route index element={<OverviewPage />} />
        <Route path="reports" element={<ReportsPage />} />
        <Route path="tokens" element={<TokensPage />} />
        <Route path="operations" element={<OperationsPage />} />
        <Route path="people" element={<PeoplePage />} />
        <Route path="sessions" element={<SessionsPage />} />
        <Route path="password" element={<PasswordPage />} />
      </Route>
      <Route element={<VisitorsOnly />}>
        <Route path="log-in" element={<LogInPage />} />
        <Route path="sign-up" element={<SignUpPage />} />
        <Route path="forgotten-password" element={<ForgottenPasswordPage />} />
      </Route>
      <Route path="join" element={<JoinPage />} />
      <Route path="reset-password" element={<ResetPasswordPage />} />
      <Route path="*" element={<NotFoundPage />} />
    </Routes>
  );
}
