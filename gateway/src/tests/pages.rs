use super::{problem, request, send, text, witnessed};

const HTML: &str = "text/html,application/xhtml+xml;q=0.9";

#[tokio::test]
async fn the_dashboard_is_at_every_address_that_is_no_file() {
    let (door, _) = witnessed();
    for path in ["/", "/reports/active-users?from=2026-01-01", "/sign-up", "/v10"] {
        let response = send(&door, request("GET", path).header("accept", HTML)).await;
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers();
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(headers["cache-control"], "no-cache");
        assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'self'; "));
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(headers.contains_key("referrer-policy") && headers.contains_key("x-request-id"));
        assert!(text(response).await.contains("the dashboard"));
    }
    assert_eq!(send(&door, request("GET", "/").header("accept", "*/*")).await.status(), 200);
    let (status, _) = problem(send(&door, request("GET", "/sign-up").header("accept", "*/*")).await).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn files_are_served_as_what_they_are() {
    let (door, _) = witnessed();
    for (path, media_type, keep) in [
        ("/docs", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/favicon.svg", "image/svg+xml", "no-cache"),
        ("/assets/app-1a2b.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
    ] {
        let response = send(&door, request("GET", path)).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], media_type, "{path}");
        assert_eq!(response.headers()["cache-control"], keep, "{path}");
    }
    for path in ["/assets/gone.js", "/assets/", "/assets/../index.html", "/docs/x", "/%2e%2e/Cargo.toml"] {
        let accept = if path.starts_with("/%2e") { "*/*" } else { HTML };
        let (status, _) = problem(send(&door, request("GET", path).header("accept", accept)).await).await;
        assert_eq!(status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_file_that_has_not_changed_is_not_sent_again() {
    let (door, _) = witnessed();
    let etag = send(&door, request("GET", "/")).await.headers()["etag"].clone();
    let response = send(&door, request("GET", "/").header("if-none-match", &etag)).await;
    assert_eq!((response.status().as_u16(), &response.headers()["etag"]), (304, &etag));
    assert_eq!(text(response).await, "");
    let response = send(&door, request("GET", "/").header("if-none-match", "W/\"other\"")).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let (door, _) = witnessed();
    for path in ["/", "/assets/app-1a2b.js", "/openapi.json", "/anywhere", "/v1/activities"] {
        let get = send(&door, request("GET", path).header("accept", HTML)).await;
        let head = send(&door, request("HEAD", path).header("accept", HTML)).await;
        assert_eq!((head.status(), get.status().as_u16()), (get.status(), 200), "{path}");
        assert_eq!(head.headers()["content-type"], get.headers()["content-type"]);
        let length = text(get).await.len().to_string();
        assert_eq!(head.headers()["content-length"], length, "{path}");
        assert_eq!(text(head).await, "");
    }
    let head = send(&door, request("HEAD", "/v1/nothing")).await;
    assert_eq!(head.status(), 404);
    assert_eq!(head.headers()["content-type"], "application/problem+json");
    assert_eq!(text(head).await, "");
}

#[tokio::test]
async fn pages_are_compressed_for_those_who_ask() {
    let (door, _) = witnessed();
    for (path, encoding) in [("/openapi.json", Some("gzip")), ("/", Some("gzip")), ("/v1/activities", None)] {
        let response = send(&door, request("GET", path).header("accept-encoding", "gzip")).await;
        let sent = response.headers().get("content-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(sent, encoding, "{path}");
    }
    // A problem on the same routes is never compressed, for its request is written into it.
    problem(send(&door, request("GET", "/assets/gone.js").header("accept-encoding", "gzip")).await).await;
}

#[tokio::test]
async fn without_a_frontend_the_page_says_how_to_build_it() {
    #[derive(rust_embed::Embed)]
    #[folder = "src/tests/no-site"]
    #[allow_missing = true]
    struct Nothing;

    let gateway = crate::state::AppState::new(super::config(), crate::site::Site::of::<Nothing>()).unwrap();
    let door = crate::router::router(gateway);
    for path in ["/", "/docs", "/sign-up"] {
        let response = send(&door, request("GET", path).header("accept", HTML)).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(text(response).await.contains("cargo xtask up"));
    }
}
