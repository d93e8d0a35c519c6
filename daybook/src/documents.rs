use utoipa::openapi::OpenApi;

use crate::failure::Failure;

/// The one OpenAPI document, out of the gateway's and those of the services.
///
/// # Errors
/// If two services document the same thing differently.
pub(crate) fn merged() -> Result<OpenApi, Failure> {
    let services = vec![command_service::openapi(), customers::openapi(), projection_service::openapi()];
    gateway::merge(gateway::openapi_base(), services).map_err(|error| {
        Failure::Failed(format!("the services' OpenAPI documents do not fit together: {error}"))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_documented_can_be_reached() {
        let document = super::merged().unwrap();
        assert_eq!(gateway::unrouted(&document), Vec::<String>::new());
        assert!(document.paths.paths.contains_key("/v1/activities/batch"));
        assert!(document.paths.paths.contains_key("/v1/tokens"));
        assert!(document.paths.paths.contains_key("/v1/reports/activity"));
    }
}
