import { Route, Routes } from 'react-router';
import { ForgottenPasswordPage } from './forgotten-password';
import { JoinPage } from './join';
import { LogInPage } from './log-in';
import { MembersOnly } from './members-only';
import { NotFoundPage } from './not-found';
import { OperationsPage } from './operations';
import { OverviewPage } from './overview';
import { PasswordPage } from './password';
import { PeoplePage } from './people';
import { ReportsPage } from './reports';
import { ResetPasswordPage } from './reset-password';
import { SessionsPage } from './sessions';
import { SignUpPage } from './sign-up';
import { TokensPage } from './tokens';
import { VisitorsOnly } from './visitors-only';

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
