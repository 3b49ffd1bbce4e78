//! The way from a carrier's link to the rooms: reports go up, and word that they are on disk comes back.

use tokio::sync::{mpsc, oneshot};

use super::report::Report;

/// Reports that may wait for the database, of all links together; then links wait, and with them the carriers.
const DEPTH: usize = 1024;

/// What one carrier told, waiting to be stored.
pub struct Told {
    /// Which carrier.
    pub carrier: String,
    /// What it told.
    pub reports: Vec<Report>,
    stored: oneshot::Sender<bool>,
}

impl Told {
    /// Says whether the reports are on disk.
    pub fn answer(self, stored: bool) {
        // A link that has gone needs no answer: its carrier will tell again.
        let _ = self.stored.send(stored);
    }
}

/// Where links bring what their carriers tell.
#[derive(Clone)]
pub struct ReportDesk(mpsc::Sender<Told>);

impl ReportDesk {
    /// A desk, and where what is brought to it comes out.
    pub fn new() -> (ReportDesk, mpsc::Receiver<Told>) {
        let (sender, receiver) = mpsc::channel(DEPTH);
        (ReportDesk(sender), receiver)
    }

    /// Whether `reports` are on disk: only then may the carrier be told that we have them.
    pub async fn take(&self, carrier: &str, reports: Vec<Report>) -> bool {
        let (stored, answer) = oneshot::channel();
        let told = Told { carrier: String::from(carrier), reports, stored };
        self.0.send(told).await.is_ok() && answer.await.unwrap_or(false)
    }
}
