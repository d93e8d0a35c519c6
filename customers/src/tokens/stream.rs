use access::Principal;
use domain::TokenId;

/// The id of a token's stream, in the caller's own customer: another customer's token cannot be named.
pub(super) fn stream(principal: &Principal, token: TokenId) -> String {
    format!("{}:{token}", principal.customer_id)
}
