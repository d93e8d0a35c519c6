use super::table::{ListedMember, list};
use crate::paging::list_route;

list_route! {
    /// List people
    ///
    /// The customer's people and their roles.
    list_members: get "/v1/members", tag "people", permission SeePeople, list list;

    /// A page of people.
    MemberPage {
        /// In the order of their ids.
        items: ListedMember
    }
}
