"""A message centre on Twisted (PyPI smpp.twisted3): prints its port, takes messages, then delivers their receipts.

Ids are hex in submit_sm_resp and decimal in receipts, as some carriers have it. A text that says "refuse" is refused;
one that says "answer" gets a reply from its recipient.
"""
import logging
import sys
from itertools import count

from smpp.pdu.operations import DeliverSM
from smpp.pdu.pdu_types import AddrNpi, AddrTon, CommandStatus, EsmClass, EsmClassMode, EsmClassType
from smpp.twisted.config import SMPPServerConfig
from smpp.twisted.protocol import DataHandlerResponse
from smpp.twisted.server import SMPPServerFactory
from twisted.cred.error import UnauthorizedLogin
from twisted.internet import reactor

logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
ids = count(0xBEE0)


def deliver(smpp, submit, text, kind):
    smpp.sendDataRequest(
        DeliverSM(
            source_addr_ton=AddrTon.INTERNATIONAL,
            source_addr_npi=AddrNpi.ISDN,
            source_addr=submit.params["destination_addr"],
            dest_addr_ton=AddrTon.INTERNATIONAL,
            dest_addr_npi=AddrNpi.ISDN,
            destination_addr=submit.params["source_addr"],
            esm_class=EsmClass(EsmClassMode.DEFAULT, kind),
            short_message=text.encode(),
        )
    )


def take(system_id, smpp, submit):
    text = submit.params["short_message"]
    if b"refuse" in text:
        return CommandStatus.ESME_RINVDSTADR
    number = next(ids)
    receipt = (
        f"id:{number} sub:001 dlvrd:001 submit date:2611220800 done date:2611220803 stat:DELIVRD err:000 "
        "text:id:1 stat:UNDELIV"
    )
    reactor.callLater(0.2, deliver, smpp, submit, receipt, EsmClassType.SMSC_DELIVERY_RECEIPT)
    if b"answer" in text:
        reactor.callLater(0.2, deliver, smpp, submit, "hello back", EsmClassType.DEFAULT)
    return DataHandlerResponse(CommandStatus.ESME_ROK, message_id=f"{number:08X}".encode())


class Door:
    def login(self, who, mind, interface):
        if (who.username, who.password) != ("postern", "secret"):
            raise UnauthorizedLogin()
        return interface, who.username, lambda: None


config = SMPPServerConfig(msgHandler=take, systems={"postern": {"max_bindings": 2}}, enquireLinkTimerSecs=1)
port = reactor.listenTCP(0, SMPPServerFactory(config, Door()), interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
