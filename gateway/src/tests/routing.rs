use super::{problem, request, send, witnessed};

#[tokio::test]
async fn each_method_of_a_path_has_its_service() {
    let (door, witness) = witnessed();
    for (method, path, service) in [
        ("GET", "/v1/activities?type=a&limit=2", "reports"),
        ("HEAD", "/v1/activities", "reports"),
        ("POST", "/v1/activities", "activities"),
        ("POST", "/v1/activities/batch", "activities"),
        ("GET", "/v1/activities/1", "activities"),
        ("PATCH", "/v1/activities/1", "activities"),
        ("DELETE", "/v1/activities/1", "activities"),
        ("GET", "/v1/activities/a/b/c", "activities"),
        ("PATCH", "/v1/activities/?id=..", "activities"),
        ("GET", "/v1/history?after=5", "activities"),
        ("GET", "/v1/history/a/b", "activities"),
        ("GET", "/v1/reports/activity?from=x", "reports"),
        ("GET", "/v1/reports/active-users", "reports"),
        ("POST", "/v1/customers", "customers"),
        ("PATCH", "/v1/customers/self", "customers"),
        ("GET", "/v1/members", "customers"),
        ("POST", "/v1/members", "customers"),
        ("PATCH", "/v1/members/7", "customers"),
        ("DELETE", "/v1/members/7", "customers"),
        ("GET", "/v1/invitations", "customers"),
        ("POST", "/v1/invitations/accept", "customers"),
        ("DELETE", "/v1/invitations/7", "customers"),
        ("GET", "/v1/sessions", "customers"),
        ("DELETE", "/v1/sessions/7", "customers"),
        ("GET", "/v1/session", "customers"),
        ("POST", "/v1/session", "customers"),
        ("DELETE", "/v1/session", "customers"),
        ("GET", "/v1/tokens", "customers"),
        ("POST", "/v1/tokens", "customers"),
        ("DELETE", "/v1/tokens/7", "customers"),
        ("POST", "/v1/tokens/7/rotate", "customers"),
        ("GET", "/v1/tokens/7/history", "customers"),
    ] {
        let response = send(&door, request(method, path)).await;
        assert_eq!(response.status(), 200, "{method} {path}");
        let seen = witness.last();
        assert_eq!((seen.service, seen.method.as_str(), seen.path.as_str()), (service, method, path));
    }
}

#[tokio::test]
async fn no_word_of_ours_shadows_an_id() {
    let (door, witness) = witnessed();
    let words: Vec<&str> = crate::routes::ROUTES
        .iter()
        .map(|route| route.path)
        .filter(|path| path.starts_with("/v1/activities/") && !path.contains('{'))
        .collect();
    assert!(words.contains(&"/v1/activities/batch"));
    for path in words {
        for method in ["GET", "HEAD", "PATCH", "DELETE"] {
            assert_eq!(send(&door, request(method, path)).await.status(), 200, "{method} {path}");
            let seen = witness.last();
            assert_eq!((seen.service, seen.path.as_str()), ("activities", path), "{method}");
        }
    }
}

#[tokio::test]
async fn an_id_keeps_its_percent_signs() {
    let (door, witness) = witnessed();
    for path in [
        "/v1/activities/a%2Fb%3Fc",
        "/v1/activities/%E2%82%AC%20x",
        "/v1/history/c:a%2F%2e%2e",
        "/v1/activities/%FF",
        "/v1/activities/%2e%2e",
        "/v1/activities/..",
        "/v1/activities/a//b",
        "/v1/activities/?id=%2e%2e",
    ] {
        assert_eq!(send(&door, request("GET", path)).await.status(), 200);
        assert_eq!(witness.last().path, path);
    }
}

#[tokio::test]
async fn an_id_reaches_the_parameter_of_a_service_in_this_process() {
    use axum::extract::Path;
    let read = |Path(id): Path<String>| async move { id };
    let service = axum::Router::new().route("/v1/activities/{id}", axum::routing::get(read));
    let door =
        super::door(crate::Config { activities: chassis::Upstream::Local(service), ..super::config() });
    assert_eq!(super::text(send(&door, request("GET", "/v1/activities/a%2Fb")).await).await, "a/b");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let (door, witness) = witnessed();
    for (method, path, allow) in [
        ("PUT", "/v1/activities", "GET,HEAD,OPTIONS,POST"),
        ("DELETE", "/v1/activities", "GET,HEAD,OPTIONS,POST"),
        ("PUT", "/v1/activities/batch", "DELETE,GET,HEAD,OPTIONS,PATCH,POST"),
        ("POST", "/v1/activities/1", "DELETE,GET,HEAD,PATCH"),
        ("POST", "/v1/history", "GET,HEAD"),
        ("POST", "/", "GET,HEAD"),
        ("DELETE", "/openapi.json", "GET,HEAD"),
    ] {
        let response = send(&door, request(method, path)).await;
        let mut allowed: Vec<_> = response.headers()["allow"].to_str().unwrap().split(',').collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), allow, "{method} {path}");
        let (status, problem) = problem(response).await;
        assert_eq!((status.as_u16(), &problem["type"]), (405, &"/problems/method-not-allowed".into()));
    }
    assert_eq!(witness.count(), 0);
}

#[tokio::test]
async fn what_is_not_public_does_not_exist() {
    let (door, witness) = witnessed();
    for (method, path) in [
        ("POST", "/internal/sessions/resolve"),
        ("POST", "/internal/tokens/validate"),
        ("GET", "/metrics"),
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("GET", "/v1/internal/x"),
        ("GET", "/v1/reports/"),
        ("POST", "/anything"),
        ("GET", "//internal/x"),
    ] {
        let mut request = request(method, path);
        if path != "//internal/x" {
            request = request.header("accept", "text/html");
        }
        let (status, problem) = problem(send(&door, request).await).await;
        assert_eq!(
            (status.as_u16(), &problem["type"]),
            (404, &"/problems/not-found".into()),
            "{method} {path}"
        );
    }
    assert_eq!(witness.count(), 0);
}
