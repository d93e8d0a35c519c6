pub(crate) mod list_activities;
pub(crate) mod report_active_users;
pub(crate) mod report_activity;
