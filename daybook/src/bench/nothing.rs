//! An axum handler that parses the same body and does nothing: what HTTP alone costs here.

use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::Request;
use axum::routing::post;
use axum::{Json, Router};
use chassis::{BodyLimits, Problem, read_json};
use domain::activity::Pending;
use http::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// Serves this handler on a free port until `stop`.
pub(super) async fn serve(stop: CancellationToken) -> Result<SocketAddr, Failure> {
    let listener = chassis::bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let address = listener.local_addr().map_err(Failure::io("cannot find the address of a listener"))?;
    let router = Router::new().route("/v1/activities", post(parse));
    tokio::spawn(chassis::serve(listener, router, stop));
    Ok(address)
}

async fn parse(request: Request) -> Result<(StatusCode, Json<Value>), Problem> {
    let pending: Pending = read_json(request, BodyLimits::default()).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"id": pending.id, "position": 0, "duplicate": false}))))
}
