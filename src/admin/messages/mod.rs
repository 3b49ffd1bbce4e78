//! Messages as operators find, follow and change them.

mod act;
mod block;
mod settle;
mod show;
mod trace;

pub(super) use act::{
    __path_cancel_any_message, __path_resend_message, __path_reveal_message, cancel_any_message, resend_message,
    reveal_message,
};
pub(super) use block::{__path_block_recipient, __path_report_false_positive, block_recipient, report_false_positive};
pub(super) use settle::{__path_list_activity, __path_settle_message, list_activity, settle_message};
pub(super) use show::{
    __path_count_all_messages, __path_list_related_messages, __path_search_messages, __path_trace_message,
    count_all_messages, list_related_messages, search_messages, trace_message,
};

use actix_web::web::ServiceConfig;

pub(super) fn configure(routes: &mut ServiceConfig) {
    // The histogram before `/messages/{id}`, which would take its path.
    routes
        .service(search_messages)
        .service(count_all_messages)
        .service(trace_message)
        .service(list_related_messages)
        .service(settle_message)
        .service(cancel_any_message)
        .service(resend_message)
        .service(reveal_message)
        .service(block_recipient)
        .service(report_false_positive)
        .service(list_activity);
}
