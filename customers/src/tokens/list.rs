use super::table::{TokenAnswer, list};
use crate::paging::list_route;

list_route! {
    /// List tokens
    ///
    /// The customer's tokens, those that have ended too; never a secret.
    list_tokens: get "/v1/tokens", tag "tokens", permission ManageTokens, list list;

    /// A page of tokens.
    TokenPage {
        /// The newest first.
        items: TokenAnswer
    }
}
