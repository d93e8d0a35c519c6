use std::fmt;

use super::login::Login;

/// What `up` prints when it is ready.
pub(crate) struct Banner<'a> {
    pub(crate) url: &'a str,
    pub(crate) metrics_url: &'a str,
    pub(crate) data: &'a str,
    /// None if nothing is known that lets anybody in.
    pub(crate) login: Option<&'a Login>,
}

impl fmt::Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Daybook is ready.\n\nURL       {}", self.url)?;
        match self.login {
            Some(login) => writeln!(f, "Login     {}\nPassword  {}", login.email, login.password)?,
            None => writeln!(f, "Login     your own, or sign up at the URL")?,
        }
        writeln!(f, "Metrics   {}\nData      {}\n", self.metrics_url, self.data)?;
        let token = self.login.and_then(|login| login.token.as_deref());
        match token {
            Some(_) => writeln!(f, "Record an activity:\n")?,
            None => writeln!(f, "Record an activity with a token that you make at the URL:\n")?,
        }
        write!(f, "{}\n\nCtrl-C stops everything.", self.curl(token.unwrap_or("$DAYBOOK_TOKEN")))
    }
}

impl Banner<'_> {
    /// Can be pasted as it is.
    fn curl(&self, token: &str) -> String {
        let activity = r#"{"type":"page.viewed","actor":"ada","properties":{"page":"/pricing"}}"#;
        format!(
            "curl {}/v1/activities -H \"authorization: Bearer {token}\" -H 'content-type: application/json' -d '{activity}'",
            self.url
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_who_and_how() {
        let login = Login {
            email: "owner@example.com".to_owned(),
            password: "correct horse battery".to_owned(),
            token: Some("dbk_1".to_owned()),
            month: None,
        };
        let banner = Banner {
            url: "http://127.0.0.1:8080",
            metrics_url: "http://127.0.0.1:9100/metrics",
            data: "/srv/.daybook",
            login: Some(&login),
        };
        let text = banner.to_string();
        assert!(text.contains("\nURL       http://127.0.0.1:8080\n"), "{text}");
        assert!(text.contains("\nLogin     owner@example.com\nPassword  correct horse battery\n"), "{text}");
        let curl = text.lines().find(|line| line.starts_with("curl ")).unwrap();
        assert!(
            curl.contains("http://127.0.0.1:8080/v1/activities -H \"authorization: Bearer dbk_1\""),
            "{curl}"
        );
        let body = curl.split("-d '").nth(1).unwrap().trim_end_matches('\'');
        assert!(serde_json::from_str::<domain::activity::Pending>(body).is_ok(), "{body}");
    }
}
