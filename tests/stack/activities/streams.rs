use std::collections::BTreeSet;
use std::io::Write;

use serde_json::{Value, json};

use crate::support::{Api, Customer, Stack, Wire, eventually, shared};

const PATH: &str = "/v1/activities/stream";
const LINES: (&str, &str) = ("content-type", "application/x-ndjson");
const MANY: usize = 100_000;
/// Every so many lines one is bad.
const BAD_EVERY: usize = 997;
const BOMB_BYTES: usize = 512 * 1024 * 1024;
const MEMORY_GROWTH_MAX_KIB: u64 = 64 * 1024;

fn line(id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"type\":\"page.viewed\",\"actor\":\"ada\"}}\n")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// Sends a body as a whole, and returns the lines of the answer.
async fn stream(api: &Api, encoding: &str, body: impl Into<Vec<u8>>) -> Vec<Value> {
    let answer = api.post_raw(PATH, &[LINES, ("content-encoding", encoding)], body).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, LINES.1), "{}", answer.text);
    lines(&answer.text)
}

/// The ids in a customer's history, of which none may be there twice.
async fn recorded(api: &Api) -> BTreeSet<String> {
    let request = api.request(reqwest::Method::GET, "/v1/history").header("accept", LINES.1);
    let events = lines(&request.send().await.unwrap().text().await.unwrap());
    let ids: BTreeSet<_> =
        events.iter().map(|event| event["activity_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), events.len(), "an activity is in the history twice");
    ids
}

#[tokio::test]
async fn each_bad_line_is_named_and_the_others_are_recorded() {
    let customer = shared().customer().await;
    customer.api.record(&json!({"id": "known", "type": "page.viewed", "actor": "ada"})).await;
    let body = [
        "\u{feff}",
        &line("a"),
        "\r\n",
        "{\"id\":\"b\",\"type\":\"page.viewed\",\"actor\":\"ada\"}\r\n",
        "no JSON\n",
        "{\"type\":\"\",\"actor\":\"\"}\n",
        &line("known"),
        "{\"id\":\"known\",\"type\":\"order.paid\",\"actor\":\"ada\"}\n",
        &format!("{{\"type\":\"a\",\"actor\":\"b\"}}{}\n", " ".repeat(1024 * 1024)),
        "[]\n",
        &line("last")[..line("last").len() - 1],
    ];
    let answer = stream(&customer.api, "identity", body.concat()).await;
    let (summary, rejected) = answer.split_last().unwrap();
    let named: Vec<_> = rejected
        .iter()
        .filter(|line| line["kind"] == "rejected")
        .map(|line| (line["line"].as_u64().unwrap(), line["errors"][0]["pointer"].as_str().unwrap()))
        .collect();
    assert_eq!(named, [(4, ""), (5, "/type"), (7, "/id"), (8, ""), (9, "")], "{answer:?}");
    let first = summary["first_position"].as_i64().unwrap();
    assert_eq!(
        *summary,
        json!({
            "kind": "summary", "complete": true, "line": 10, "accepted": 3, "duplicates": 1, "rejected": 5,
            "first_position": first, "last_position": first + 2,
        })
    );
    assert_eq!(recorded(&customer.api).await, ["a", "b", "known", "last"].map(str::to_owned).into());
}

#[tokio::test]
async fn a_hundred_thousand_lines_are_recorded_once_however_often_they_come() {
    let customer = shared().customer().await;
    let is_bad = |n: usize| n.is_multiple_of(BAD_EVERY);
    let body: String = (1..=MANY)
        .map(|n| if is_bad(n) { "{\"type\":7}\n".to_owned() } else { line(&format!("m-{n}")) })
        .collect();
    let bad = MANY / BAD_EVERY;
    for (encoding, bytes, accepted) in [
        ("zstd", zstd::encode_all(body.as_bytes(), 1).unwrap(), MANY - bad),
        ("identity", body.clone().into_bytes(), 0),
    ] {
        let answer = stream(&customer.api, encoding, bytes).await;
        let of = |kind: &str| answer.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
        let named: Vec<_> =
            of("rejected").iter().map(|line| line["line"].as_u64().unwrap() as usize).collect();
        assert_eq!(named, (1..=MANY).filter(|n| is_bad(*n)).collect::<Vec<_>>());
        let progress: Vec<_> = of("progress").iter().map(|line| line["line"].as_u64().unwrap()).collect();
        assert!(progress.len() >= 9 && progress.is_sorted(), "{progress:?}");
        let summary = answer.last().unwrap();
        assert_eq!((&summary["complete"], &summary["line"]), (&json!(true), &json!(MANY)), "{summary}");
        assert_eq!(
            (&summary["accepted"], &summary["rejected"]),
            (&json!(accepted), &json!(bad)),
            "{summary}"
        );
        assert_eq!(summary["duplicates"], MANY - bad - accepted, "{summary}");
    }
    assert_eq!(recorded(&customer.api).await.len(), MANY - bad);
}

#[tokio::test]
async fn a_compressed_stream_of_several_members_is_read_to_its_end() {
    let customer = shared().customer().await;
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let body = [gzip(&line("a")), gzip(&line("b"))].concat();
    assert_eq!(stream(&customer.api, "gzip", body).await.last().unwrap()["accepted"], 2);
    // Cut off: what was whole is recorded, and the last line says that something is missing.
    let cut = gzip(&line("c").repeat(3));
    let answer = stream(&customer.api, "gzip", &cut[..cut.len() - 4]).await;
    let summary = answer.last().unwrap();
    assert_eq!(
        (&summary["complete"], &summary["problem"]["type"]),
        (&json!(false), &json!("/problems/unreadable-body"))
    );
    for (content_type, status) in [("application/json", 415), ("application/ndjson; charset=utf-16", 415)] {
        let answer = customer.api.post_raw(PATH, &[("content-type", content_type)], line("d")).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}

#[tokio::test]
async fn progress_is_told_while_lines_still_come_and_a_revoked_token_ends_it() {
    let customer = shared().customer().await;
    let issued = customer.issue(&["ingest"]).await;
    let mut wire = Wire::open(&shared().url, issued["token"].as_str().unwrap()).await;
    wire.send(&line("a")).await;
    // Half a line, of which the rest comes later.
    let (start, end) = (&line("b")[..9], &line("b")[9..]);
    wire.send(start).await;
    assert_eq!(wire.line("progress").await["line"], 1);
    assert_eq!(recorded(&customer.api).await, ["a".to_owned()].into());
    wire.send(end).await;
    assert_eq!(wire.line("progress").await["line"], 2);
    let path = format!("/v1/tokens/{}", issued["id"].as_str().unwrap());
    assert_eq!(customer.api.delete(&path).await.status, 204);
    let summary = eventually("the stream ends", || {
        let sent = line("late");
        let wire = &mut wire;
        let sending = wire.socket.try_write(format!("{:x}\r\n{sent}\r\n", sent.len()).as_bytes());
        let text = String::from_utf8_lossy(&wire.read).into_owned();
        let mut bytes = [0; 4096];
        if let Ok(read) = wire.socket.try_read(&mut bytes) {
            wire.read.extend_from_slice(&bytes[..read]);
        }
        async move {
            drop(sending);
            text.lines().find(|line| line.contains("\"summary\"")).map(|line| lines(line).remove(0))
        }
    })
    .await;
    assert_eq!(
        (&summary["complete"], &summary["problem"]["status"]),
        (&json!(false), &json!(401)),
        "{summary}"
    );
}

/// Cuts the connection after the first progress, and returns how far that was.
async fn cut_off(stack: &Stack, customer: &Customer, ids: &[String]) -> usize {
    let mut wire = Wire::open(&stack.url, &customer.token).await;
    let mut sent = ids.chunks(100);
    wire.send(&sent.next().unwrap().iter().map(|id| line(id)).collect::<String>()).await;
    let told = wire.line("progress").await["line"].as_u64().unwrap() as usize;
    for some in sent {
        wire.send(&some.iter().map(|id| line(id)).collect::<String>()).await;
    }
    told
}

#[tokio::test]
async fn what_is_cut_off_and_sent_again_is_there_once() {
    let customer = shared().customer().await;
    let ids: Vec<String> = (0..3_000).map(|n| format!("c-{n}")).collect();
    let told = cut_off(shared(), &customer, &ids).await;
    let there = recorded(&customer.api).await;
    assert!(ids[..told].iter().all(|id| there.contains(id)), "{told} were acknowledged");
    let body: String = ids.iter().map(|id| line(id)).collect();
    let answer = stream(&customer.api, "identity", body).await;
    let summary = answer.last().unwrap();
    let told_of = summary["accepted"].as_u64().unwrap() + summary["duplicates"].as_u64().unwrap();
    assert_eq!((told_of, &summary["rejected"]), (3_000, &json!(0)), "{summary}");
    assert_eq!(recorded(&customer.api).await, ids.into_iter().collect());
}

#[tokio::test]
async fn curl_streams_a_file_through_the_gateway() {
    let customer = shared().customer().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    // So large that curl asks first whether it may go on.
    let count = 20_000;
    for n in 0..count {
        file.write_all(line(&format!("curl-{n}")).as_bytes()).unwrap();
    }
    let output = tokio::process::Command::new("curl")
        .args(["-sS", "-X", "POST", "--max-time", "60", "-T"])
        .arg(file.path())
        .args([
            "-H",
            &format!("authorization: Bearer {}", customer.token),
            "-H",
            "content-type: application/x-ndjson",
        ])
        .arg(format!("{}{PATH}", shared().url))
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = lines(&text).pop().unwrap();
    assert_eq!((&summary["complete"], &summary["accepted"]), (&json!(true), &json!(count)), "{summary}");
}

fn peak_memory_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_takes_the_same_memory_whatever_it_inflates_to_and_survives_a_kill() {
    let mut stack = Stack::start();
    let customer = stack.customer().await;
    stream(&customer.api, "identity", line("warm")).await;
    let before = peak_memory_kib(stack.pid());
    let member = zstd::encode_all(&vec![b' '; BOMB_BYTES / 16][..], 19).unwrap();
    let answer = stream(&customer.api, "zstd", member.repeat(16)).await;
    let summary = answer.last().unwrap();
    assert_eq!((&summary["complete"], &summary["rejected"]), (&json!(true), &json!(1)), "{summary}");
    let grown = peak_memory_kib(stack.pid()) - before;
    assert!(grown < MEMORY_GROWTH_MAX_KIB, "it took {grown} KiB more");

    let ids: Vec<String> = (0..2_000).map(|n| format!("k-{n}")).collect();
    let told = cut_off(&stack, &customer, &ids).await;
    stack.kill(true);
    let stack = stack.start_again();
    let there = recorded(&stack.anonymous().with_token(&customer.token)).await;
    assert!(ids[..told].iter().all(|id| there.contains(id)), "{told} were acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_outage_is_waited_for_and_an_idle_client_is_not() {
    let stack = Stack::start_with(&[], &[("DAYBOOK_ACTIVITIES_STREAM_IDLE_S", "8")]);
    let customer = stack.customer().await;
    let mut wire = Wire::open(&stack.url, &customer.token).await;
    wire.send(&line("before")).await;
    assert_eq!(wire.line("progress").await["line"], 1);
    stack.kill_database();
    wire.send(&line("after")).await;
    assert_eq!(wire.line("progress").await["line"], 2);
    // Half a line is no progress.
    wire.send("{\"type\":").await;
    let summary = wire.line("summary").await;
    assert_eq!((&summary["complete"], &summary["line"]), (&json!(false), &json!(2)), "{summary}");
    assert_eq!(summary["problem"]["type"], "/problems/body-too-slow", "{summary}");
    assert_eq!(recorded(&customer.api).await, ["after", "before"].map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_that_lasts_ends_it_with_how_far_everything_is_durable() {
    let keys = [("DAYBOOK_ACTIVITIES_STREAM_OUTAGE_S", "0"), ("DAYBOOK_APPEND_RETRY_MAX_MS", "1")];
    let stack = Stack::start_with(&[], &keys);
    let customer = stack.customer().await;
    let mut wire = Wire::open(&stack.url, &customer.token).await;
    wire.send(&line("before")).await;
    assert_eq!(wire.line("progress").await["line"], 1);
    stack.kill_database();
    wire.send(&line("after")).await;
    let summary = wire.line("summary").await;
    assert_eq!((&summary["complete"], &summary["line"]), (&json!(false), &json!(1)), "{summary}");
    assert_eq!(summary["problem"]["status"], 503, "{summary}");
}
