//! The OpenAPI document against the running system, by schemathesis: it sends what the document gives as examples, every
//! boundary of every parameter, random content that conforms to the document and that does not, and chains of operations.
//! Every response is one that the document has, and none is an internal error.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Api, PASSWORD, Program, Stack, send, within};

const LIMIT: Duration = Duration::from_mins(10);
/// Random contents for each operation.
const EXAMPLES_MAX: &str = "20";
/// The same contents each time.
const SEED: &str = "20260301";
/// Rules that a schema cannot say make this one fail: how hard a password is to guess, that `from` comes before `to`, how
/// long ago something may have happened.
/// A word of ours is an activity's id too, so its path has methods that are documented at the id's; and an empty parameter
/// is one that was not given.
const UNSAID: &str = "positive_data_acceptance,allow_header_conformance,negative_data_rejection";
/// Where the cookie stands in a header of every request, leaving it out is not tried in earnest: its name is that of the
/// instance, which the document cannot know. The tests of authentication do without it.
const WITHOUT_COOKIE: &str =
    "positive_data_acceptance,allow_header_conformance,negative_data_rejection,ignored_auth";

fn python() -> PathBuf {
    let key = "DAYBOOK_TEST_PYTHON";
    let python = std::env::var_os(key).map(PathBuf::from);
    python.unwrap_or_else(|| panic!("{key} is not set; `cargo xtask test` makes a Python with schemathesis"))
}

/// A system that lets a machine guess for as long as it likes.
fn patient() -> Stack {
    Stack::start_with(
        &[],
        &[
            // It names positions that never come.
            ("DAYBOOK_REPORTS_WAIT_FOR_MAX_MS", "20"),
            ("DAYBOOK_CUSTOMERS_SIGN_UP_ADDRESS_MAX", "1000000"),
            ("DAYBOOK_CUSTOMERS_LOG_IN_ACCOUNT_ATTEMPTS_MAX", "1000000"),
            ("DAYBOOK_CUSTOMERS_LOG_IN_ADDRESS_ATTEMPTS_MAX", "1000000"),
        ],
    )
}

/// Runs schemathesis with these headers on every request, and on these operations.
async fn check(stack: &Stack, headers: &[String], only: &[&str], excluded: &str, dir: &Path) {
    let mut command = Command::new(python());
    command.args(["-m", "schemathesis.cli", "run"]).arg(format!("{}/openapi.json", stack.url));
    command.args(["--phases", "examples,coverage,fuzzing,stateful", "--exclude-checks", excluded]);
    command.args(["--max-examples", EXAMPLES_MAX, "--seed", SEED, "--continue-on-failure", "--no-color"]);
    command.args(headers.iter().flat_map(|header| ["-H", header]));
    command.args(only).current_dir(dir).stdin(Stdio::null());
    // Without a folder of examples from other runs, which would be tried first.
    command.env("HYPOTHESIS_STORAGE_DIRECTORY", dir.join("hypothesis"));
    let mut program = Program::start(&mut command, dir, "schemathesis");
    let status = within(LIMIT, "schemathesis has tried everything", || {
        let ended = program.ended();
        async move { ended }
    })
    .await;
    assert!(status.success(), "{status}\n{}\n{}", program.out(), program.err());
    assert!(program.out().contains("Stateful"), "not all phases ran: {}", program.out());
}

#[tokio::test]
async fn the_system_answers_as_its_document_says() {
    let stack = patient();
    let customer = stack.customer().await;
    let dir = tempfile::tempdir().unwrap();
    let token = format!("Authorization: Bearer {}", customer.token);
    // It cannot write lines of JSON.
    let excluded =
        ["revoke_token", "rotate_token", "record_stream"].map(|id| ["--exclude-operation-id", id]).concat();
    check(&stack, &[token], &excluded, UNSAID, dir.path()).await;
    // Otherwise it has only seen how it is refused.
    customer.api.get("/v1/members").await.json(200);

    // Once more as a person, who may end tokens, and alone has sessions.
    let body = serde_json::json!({"email": customer.email, "password": PASSWORD});
    let answer = Api::new(&stack.url).post("/v1/session", &body).await;
    let csrf_token = answer.json(200)["csrf_token"].as_str().unwrap().to_owned();
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let headers = [format!("Cookie: {cookie}"), format!("x-csrf-token: {csrf_token}")];
    let mut only = vec!["--include-path-regex", "^/v1/(sessions?|tokens|customers/self|members)"];
    for ends_it in ["log_in", "log_out", "end_session"] {
        only.extend(["--exclude-operation-id", ends_it]);
    }
    check(&stack, &headers, &only, WITHOUT_COOKIE, dir.path()).await;
    let mut session = Api::new(&stack.url).request(reqwest::Method::GET, "/v1/session");
    session = session.header("cookie", &cookie);
    send(session).await.json(200);
}
