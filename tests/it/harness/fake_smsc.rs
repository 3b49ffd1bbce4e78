//! A message centre in this process, of another library than the one we send by: it accepts, refuses, and tells.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use smpp34::server::ESME;
use smpp34::{
    SmppConnectionInformation, SmppError, SmppServer, SmppServerListener, TlvTag, bind_receiver, bind_receiver_resp,
    bind_transceiver, bind_transceiver_resp, bind_transmitter, bind_transmitter_resp, submit_sm, submit_sm_resp,
};

/// What the centre says to a submit_sm.
#[derive(Clone)]
pub enum Say {
    /// Taken, by this id.
    Take(&'static str),
    /// Refused.
    Refuse(SmppError),
    /// Taken, and its receipt comes before this answer.
    ReceiptFirst(&'static str),
    /// Nothing, ever.
    Nothing,
}

/// The centre; ends when dropped.
pub struct FakeSmsc {
    /// Where it listens on the loopback.
    pub port: u16,
    shared: Arc<Shared>,
    _server: SmppServer,
}

#[derive(Default)]
struct Shared {
    says: Mutex<VecDeque<Say>>,
    submits: Mutex<Vec<submit_sm>>,
    bound: Mutex<Vec<(String, Arc<ESME>)>>,
    binds: Mutex<Vec<(&'static str, String, u8)>>,
    next: AtomicUsize,
}

impl FakeSmsc {
    /// Listens, lets everybody in, and takes everything until told otherwise.
    pub async fn start() -> FakeSmsc {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let mut server = SmppServer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port, shared.clone());
        server.start().await;
        FakeSmsc { port, shared, _server: server }
    }

    /// What it says to the next submit_sm, after what was queued before.
    pub fn next(&self, say: Say) {
        self.shared.says.lock().unwrap().push_back(say);
    }

    /// Everything that was submitted, refused or not.
    pub fn submits(&self) -> Vec<submit_sm> {
        self.shared.submits.lock().unwrap().clone()
    }

    /// Every bind: its kind, who, and the version.
    pub fn binds(&self) -> Vec<(&'static str, String, u8)> {
        self.shared.binds.lock().unwrap().clone()
    }

    /// How many connections are bound now.
    pub fn bound(&self) -> usize {
        self.shared.bound.lock().unwrap().len()
    }

    /// A connection that takes deliveries.
    pub fn receiver(&self) -> Arc<ESME> {
        let bound = self.shared.bound.lock().unwrap();
        bound.iter().map(|(_, esme)| esme).find(|esme| esme.can_receive).unwrap().clone()
    }

    /// Delivers a receipt by text and parameters; whether it was taken.
    pub async fn receipt(&self, id: &str, word: &str, state: u8) -> bool {
        deliver_receipt(&self.receiver(), id, word, Some(state)).await
    }

    /// Delivers a receipt by text alone.
    pub async fn text_receipt(&self, id: &str, word: &str) -> bool {
        deliver_receipt(&self.receiver(), id, word, None).await
    }

    /// Delivers a text from a person: esm_class, data_coding, octets.
    pub async fn text(&self, esm_class: u8, data_coding: u8, octets: &[u8]) -> bool {
        let esme = self.receiver();
        let deliver = esme.deliver_sm().source_addr_ton(1).source_addr(PERSON).dest_addr_ton(1);
        let deliver = deliver.destination_addr("447700900000").esm_class(esm_class).data_coding(data_coding);
        deliver.short_message(octets).send().await.is_ok_and(|answer| answer.is_success())
    }
}

/// Delivers a receipt over one connection; whether it was taken.
pub async fn deliver_receipt(esme: &ESME, id: &str, word: &str, state: Option<u8>) -> bool {
    let text =
        format!("id:{id} sub:001 dlvrd:001 submit date:2611220800 done date:2611220803 stat:{word} err:000 text:");
    let mut deliver = esme.deliver_sm().source_addr_ton(1).source_addr(PERSON).destination_addr("ACME");
    deliver = deliver.esm_class(4).short_message(text.into_bytes());
    if let Some(state) = state {
        let octets = [id.as_bytes(), &[0]].concat();
        deliver = deliver.tlv(TlvTag::ReceiptedMessageId, octets).tlv(TlvTag::MessageStateTlv, [state]);
    }
    deliver.send().await.is_ok_and(|answer| answer.is_success())
}

impl Shared {
    fn let_in(&self, kind: &'static str, who: &str, version: u8) {
        self.binds.lock().unwrap().push((kind, who.to_owned(), version));
    }
}

#[async_trait]
impl SmppServerListener for Shared {
    async fn on_bind_transceiver(
        &self,
        bind: bind_transceiver,
        _: &SmppConnectionInformation,
        _: &String,
    ) -> bind_transceiver_resp {
        if bind.password != PASSWORD {
            return bind.reject(SmppError::ESME_RINVPASWD);
        }
        self.let_in("transceiver", &bind.system_id, bind.interface_version);
        bind.accept("FAKE".to_owned(), Some(0x34))
    }

    async fn on_bind_transmitter(
        &self,
        bind: bind_transmitter,
        _: &SmppConnectionInformation,
        _: &String,
    ) -> bind_transmitter_resp {
        self.let_in("transmitter", &bind.system_id, bind.interface_version);
        bind.accept("FAKE".to_owned(), Some(0x34))
    }

    async fn on_bind_receiver(
        &self,
        bind: bind_receiver,
        _: &SmppConnectionInformation,
        _: &String,
    ) -> bind_receiver_resp {
        self.let_in("receiver", &bind.system_id, bind.interface_version);
        bind.accept("FAKE".to_owned(), Some(0x34))
    }

    async fn on_submit_sm(&self, submit: submit_sm, _: &SmppConnectionInformation, session: &String) -> submit_sm_resp {
        self.submits.lock().unwrap().push(submit.clone());
        let say = self.says.lock().unwrap().pop_front();
        match say {
            None => submit.accept(format!("fake-{}", self.next.fetch_add(1, Ordering::SeqCst))),
            Some(Say::Take(id)) => submit.accept(id.to_owned()),
            Some(Say::Refuse(status)) => submit.reject(status),
            Some(Say::Nothing) => std::future::pending().await,
            Some(Say::ReceiptFirst(id)) => {
                let own = |(known, _): &&(String, Arc<ESME>)| known == session;
                let esme = self.bound.lock().unwrap().iter().find(own).unwrap().1.clone();
                assert!(deliver_receipt(&esme, id, "DELIVRD", Some(2)).await);
                submit.accept(id.to_owned())
            }
        }
    }

    async fn on_esme_bound(&self, esme: ESME, session: &String) {
        self.bound.lock().unwrap().push((session.clone(), Arc::new(esme)));
    }

    async fn on_esme_unbound(&self, session: &String) {
        self.bound.lock().unwrap().retain(|(known, _)| known != session);
    }
}

/// Who gets everything and answers.
pub const PERSON: &str = "447911123456";
/// The password that the centre lets in.
pub const PASSWORD: &str = "canary-p";
