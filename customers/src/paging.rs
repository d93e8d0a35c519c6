/// A route that lists things of the caller's customer, a page at a time, and the type of its page, which the document names.
///
/// `list(pool, customer, cursor, rows)` reads the rows after the cursor.
macro_rules! list_route {
    (
        $(#[$about:meta])*
        $route:ident: get $path:tt, tag $tag:tt, permission $permission:ident, list $list:expr;

        $(#[$about_page:meta])*
        $page:ident {
            $(#[$order:meta])*
            items: $item:ident
        }
    ) => {
        $(#[$about_page])*
        #[derive(serde::Serialize, utoipa::ToSchema)]
        pub(crate) struct $page {
            /// The customer's id.
            customer_id: uuid::Uuid,
            $(#[$order])*
            items: Vec<$item>,
            /// For the next page, if there is one.
            next_cursor: Option<String>,
        }

        $(#[$about])*
        #[utoipa::path(
            get, path = $path, tag = $tag,
            params(chassis::PageParameters),
            responses(
                (status = 200, description = "A page.", body = $page),
                chassis::QueryProblems, chassis::CallerProblems, chassis::ServerProblems,
            ),
        )]
        pub(crate) async fn $route(
            axum::extract::State(state): axum::extract::State<crate::state::AppState>,
            caller: access::Caller,
            chassis::ProblemQuery(parameters): chassis::ProblemQuery<chassis::PageParameters>,
        ) -> Result<axum::Json<$page>, crate::error::CustomersError> {
            let permission = domain::customer::Permission::$permission;
            let principal = crate::permissions::require(&state, &caller, permission).await?;
            let page = chassis::Paging::try_from(parameters)?;
            let mut items = $list(&state.pool, principal.customer_id, page.cursor, page.rows()).await?;
            let next_cursor = page.cut(&mut items, |item| item.id);
            Ok(axum::Json($page { customer_id: principal.customer_id.0, items, next_cursor }))
        }
    };
}

pub(crate) use list_route;
