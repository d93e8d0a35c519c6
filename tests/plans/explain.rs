use std::fs;
use std::path::Path;

use serde_json::Value;
use sqlx::{Executor, PgConnection, Row};

use crate::filled::Database;
use crate::hot::{Hot, Keyed};

/// After five custom plans of a statement, PostgreSQL considers a generic one.
const PLANS: usize = 7;

/// A session like a service's, with prepared statements.
pub(crate) struct Prepared<'a> {
    session: PgConnection,
    statements: &'a [Hot],
}

impl<'a> Prepared<'a> {
    pub(crate) async fn prepared(database: &Database, statements: &'a [Hot]) -> Self {
        let mut session = database.session().await;
        for (n, hot) in statements.iter().enumerate() {
            let (query, types) = described(hot);
            let prepare = format!("PREPARE hot_{n} ({types}) AS {query}");
            session
                .execute(sqlx::raw_sql(&prepare))
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", hot.contains));
        }
        Self { session, statements }
    }

    pub(crate) async fn plan_several_times(&mut self) {
        for _ in 0..PLANS {
            for n in 0..self.statements.len() {
                self.plan(n).await;
            }
        }
    }

    async fn plan(&mut self, n: usize) -> Value {
        let hot = &self.statements[n];
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE hot_{n}({})", hot.arguments);
        let row = self.session.fetch_one(sqlx::raw_sql(&explain)).await;
        let text: String =
            row.unwrap_or_else(|error| panic!("{}: {error}", hot.contains)).try_get_unchecked(0).unwrap();
        let plan: Value = serde_json::from_str(&text).unwrap();
        plan[0]["Plan"].clone()
    }

    /// What is wrong with the plans, in words.
    pub(crate) async fn faults(&mut self) -> Vec<String> {
        let mut faults = Vec::new();
        for n in 0..self.statements.len() {
            let plan = self.plan(n).await;
            let hot = &self.statements[n];
            let mut found = Vec::new();
            hot.keyed.iter().for_each(|keyed| look(&plan, *keyed, &mut found));
            let missing = hot.keyed.iter().filter(|(table, _)| !mentions(&plan, table));
            found.extend(missing.map(|(table, _)| format!("{table} is not in the plan")));
            if !found.is_empty() {
                faults.push(format!("{}\n{}\n{plan:#}", hot.contains, found.join("\n")));
            }
        }
        faults
    }
}

/// The text of a statement, and the types of its parameters.
fn described(hot: &Hot) -> (String, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(hot.krate).join(".sqlx");
    let spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let statements = files
        .map(|file| -> Value { serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap() });
    let found: Vec<Value> = statements
        .filter(|statement| spaced(statement["query"].as_str().unwrap()).contains(&spaced(hot.contains)))
        .collect();
    let [statement] = found.as_slice() else {
        panic!(
            "{} statements of {} contain {}: which one is hot has changed",
            found.len(),
            hot.krate,
            hot.contains
        )
    };
    let types = statement["describe"]["parameters"]["Left"].as_array().unwrap().iter();
    let types = types.map(|name| sql_type(name.as_str().unwrap())).collect::<Vec<_>>().join(", ");
    (statement["query"].as_str().unwrap().to_owned(), types)
}

/// As SQL calls a type that sqlx calls `Int8` or `Int8Array`.
fn sql_type(name: &str) -> String {
    match name.strip_suffix("Array") {
        Some(element) => format!("{}[]", element.to_lowercase()),
        None => name.to_lowercase(),
    }
}

/// Finds the nodes that read the table in another way than by its key.
fn look(node: &Value, (table, columns): Keyed, faults: &mut Vec<String>) {
    let children = || node["Plans"].as_array().into_iter().flatten();
    let kind = node["Node Type"].as_str().unwrap_or_default();
    if node["Relation Name"] == table && kind != "ModifyTable" {
        let condition = match kind {
            "Index Scan" | "Index Only Scan" => node["Index Cond"].as_str().unwrap_or_default().to_owned(),
            "Bitmap Heap Scan" => children().filter_map(|child| child["Index Cond"].as_str()).collect(),
            _ => String::new(),
        };
        let missing: Vec<&str> =
            columns.iter().copied().filter(|column| !has_word(&condition, column)).collect();
        if !missing.is_empty() {
            faults.push(format!("{kind} of {table} is not searched by {}", missing.join(", ")));
        }
    }
    children().for_each(|child| look(child, (table, columns), faults));
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .any(|found| found == word)
}

fn mentions(node: &Value, table: &str) -> bool {
    node["Relation Name"] == table
        || node["Plans"].as_array().into_iter().flatten().any(|child| mentions(child, table))
}
