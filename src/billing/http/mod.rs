//! `/v1/wallet` and `/v1/invoices`, in a request band of their own; and `/hooks/payments`.

mod docs;
mod invoices;
mod payments;
mod topups;
mod wallet;

pub use docs::BillingDocs;
pub use invoices::invoice_answer;
pub use wallet::TransactionView;

use actix_web::web::{self, ServiceConfig};

use crate::http::MaxBody;

/// The routes under `/v1`, behind the tenants' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(wallet::show)
        .service(wallet::transactions)
        .service(wallet::transaction)
        .service(wallet::show_settings)
        .service(wallet::change_settings)
        .service(wallet::spend)
        .service(topups::create)
        .service(topups::list)
        .service(topups::show)
        .service(invoices::list)
        .service(invoices::show);
}

/// The route at the root: no key guards it, its signature does. Before the carriers', whose paths are like it.
pub fn configure_hooks(routes: &mut ServiceConfig) {
    let payments = web::resource("/hooks/payments").app_data(MaxBody(payments::LARGEST));
    routes.service(payments.route(web::post().to(payments::receive)));
}
