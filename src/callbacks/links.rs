//! What arrives over the connections that carriers keep with us (SMPP): stored like a callback, then acknowledged.

use actix_web::web::Data;
use futures_util::future::join_all;
use tokio::sync::watch;

use super::take;
use crate::app::App;
use crate::providers::{ReportDesk, Told};

/// Keeps every carrier's link until `stop` says true, and stores what arrives over them.
pub async fn keep_links(app: Data<App>, stop: watch::Receiver<bool>) {
    let (desk, mut told) = ReportDesk::new();
    let links: Vec<_> =
        app.carriers.iter().filter_map(|carrier| carrier.clone().link(desk.clone(), stop.clone())).collect();
    // The desks of the links are the last: when they end, so does the reading.
    drop(desk);
    let reading = async {
        while let Some(told) = told.recv().await {
            let app = app.clone();
            tokio::spawn(async move { store(&app, told).await });
        }
    };
    tokio::join!(join_all(links), reading);
}

async fn store(app: &App, mut told: Told) {
    let reports = std::mem::take(&mut told.reports);
    let stored = take::keep(app, &told.carrier, reports).await;
    if let Err(fault) = &stored {
        let cause = fault.cause_text().unwrap_or(fault.sentence());
        tracing::warn!(carrier = %told.carrier, error = cause, "what a carrier told could not be stored; it will tell again");
    }
    told.answer(stored.is_ok());
}
