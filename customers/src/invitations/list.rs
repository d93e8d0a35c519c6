use super::table::{InvitationAnswer, list};
use crate::paging::list_route;

list_route! {
    /// List invitations
    ///
    /// Those that wait to be accepted; never a link.
    list_invitations: get "/v1/invitations", tag "people", permission ManagePeople, list list;

    /// A page of invitations.
    InvitationPage {
        /// In the order in which they were made.
        items: InvitationAnswer
    }
}
