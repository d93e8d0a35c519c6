use std::process::Command;

use domain::Json;
use serde_json::{Value, json};

use super::house::{House, content, customer};

const DAYS: &str = "from=2026-01-01&to=2026-01-03&time_zone=UTC";
const CSV: &str = "text/csv";
const PARQUET: &str = "application/vnd.apache.parquet";

/// What `DuckDB` reads from a file, as it prints it.
fn duckdb(file: &[u8], sql: &str) -> Value {
    let key = "DAYBOOK_TEST_PYTHON";
    let python = std::env::var(key).unwrap_or_else(|_| panic!("set {key}, or run `cargo xtask test`"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.parquet");
    std::fs::write(&path, file).unwrap();
    let program = "import duckdb, json, sys\n\
                   rows = duckdb.sql(sys.argv[1].replace('FILE', \"'\" + sys.argv[2] + \"'\")).fetchall()\n\
                   print(json.dumps([[v if isinstance(v, (int, float, type(None))) else str(v) for v in row] for row in rows]))";
    let output = Command::new(python).args(["-c", program, sql]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_a_table_in_every_format() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for (id, kind) in [("1", "page.viewed"), ("2", "=1+1"), ("3", "a,\"b\"")] {
        house.record(customer, id, content(kind, "ada", "2026-01-01T10:00:00Z")).await;
    }
    house.folded().await;
    let path = format!("/v1/reports/activity?{DAYS}&interval=month&group_by=type");
    let (headers, bytes) = reports.file(customer, &path, CSV).await;
    assert_eq!(headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(headers["content-disposition"], "attachment; filename=\"activity.csv\"");
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "bucket,group,count\r\n\
         2026-01-01T00:00:00Z,'=1+1,1\r\n\
         2026-01-01T00:00:00Z,\"a,\"\"b\"\"\",1\r\n\
         2026-01-01T00:00:00Z,page.viewed,1\r\n"
    );
    let (_, bytes) = reports.file(customer, &format!("{path}&format=ndjson"), "*/*").await;
    let lines: Vec<Value> =
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::from(lines), reports.body(customer, &path).await["series"]);
    let (_, bytes) = reports.file(customer, &path, PARQUET).await;
    assert_eq!(
        duckdb(
            &bytes,
            "SELECT \"group\", sum(count)::INT, typeof(any_value(bucket)) FROM FILE GROUP BY 1 ORDER BY 1"
        ),
        json!([
            ["=1+1", 1, "TIMESTAMP WITH TIME ZONE"],
            ["a,\"b\"", 1, "TIMESTAMP WITH TIME ZONE"],
            ["page.viewed", 1, "TIMESTAMP WITH TIME ZONE"]
        ])
    );
    for path in [
        format!("/v1/reports/active-users?{DAYS}"),
        format!("/v1/reports/retention?{DAYS}"),
        format!("/v1/reports/funnel?{DAYS}&step=page.viewed&step=x"),
        format!("/v1/reports/sessions?{DAYS}"),
        format!("/v1/reports/top?{DAYS}"),
        format!("/v1/reports/paths?{DAYS}&start=page.viewed"),
        "/v1/actors?".to_owned(),
    ] {
        let (_, csv) = reports.file(customer, &path, CSV).await;
        let lines = String::from_utf8(csv).unwrap().lines().count();
        let (_, parquet) = reports.file(customer, &path, PARQUET).await;
        assert_eq!(duckdb(&parquet, "SELECT count(*)::INT FROM FILE"), json!([[lines - 1]]), "{path}");
        assert!(lines > 1, "{path}");
    }
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn activities_are_taken_out_whole_in_every_format() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for number in 0..20 {
        let mut one =
            content("order.paid", ["ada", "@bob"][number % 2], &format!("2026-01-01T10:00:{number:02}Z"));
        one.value = (number % 3 != 0).then_some(number as f64 / 4.0);
        one.properties = Some(Json::try_from(&json!({"n": number})).unwrap());
        house.record(customer, &number.to_string(), one).await;
    }
    house.redact(customer, "5").await;
    house.folded().await;
    let listed = reports.body(customer, "/v1/activities").await["items"].clone();
    let (_, bytes) = reports.file(customer, "/v1/activities", "application/x-ndjson").await;
    let lines: Vec<Value> =
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::from(lines), listed);
    let (_, bytes) = reports.file(customer, "/v1/activities?format=csv&type=order.paid", "*/*").await;
    let csv = String::from_utf8(bytes).unwrap();
    assert_eq!(csv.lines().count(), 20);
    assert!(csv.starts_with(
        "id,type,actor,occurred_at,value,properties,context,recorded_at,partition,position,sequence\r\n"
    ));
    assert!(csv.contains(",'@bob,2026-01-01T10:00:19Z,4.75,\"{\"\"n\"\":19}\","), "{csv}");
    let (_, bytes) = reports.file(customer, "/v1/activities", PARQUET).await;
    assert_eq!(
        duckdb(
            &bytes,
            "SELECT count(*)::INT, sum(value), count(value)::INT, max(properties), max(occurred_at) = '2026-01-01 10:00:19+00'::timestamptz, min(actor) FROM FILE"
        ),
        json!([[19, 30.5, 12, "{\"n\":9}", true, "@bob"]])
    );
    // What is behind a number can be taken out too.
    let path = format!("/v1/reports/activity?{DAYS}&explain=2026-01-01T00:00:00Z");
    let (_, bytes) = reports.file(customer, &path, CSV).await;
    assert_eq!(String::from_utf8(bytes).unwrap(), csv);
    reports.stop().await;
}
