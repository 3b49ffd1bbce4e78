//! What the page of each error code says besides the registry's sentence: why it happens, and what to do.

use crate::error::Code;

/// What a page tells.
pub struct Advice {
    /// Why it happens.
    pub cause: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

const fn tell(cause: &'static str, remedy: &'static str) -> Advice {
    Advice { cause, remedy }
}

/// The advice on a code.
pub const fn advice(code: Code) -> Advice {
    match code.entry().status {
        400 | 401 => on_request(code),
        402 | 403 => on_permission(code),
        404..=415 => on_state(code),
        422 => on_meaning(code),
        429 => on_limit(code),
        _ => on_server(code),
    }
}

const fn on_request(code: Code) -> Advice {
    match code {
        Code::MalformedRequest => tell(
            "The bytes could not be read as a request of this route: broken JSON, text that is not UTF-8, nesting too deep, or a query string that cannot be decoded. Nothing was stored and no limit of your messages was touched.",
            "Send one JSON object in UTF-8 with Content-Type: application/json. Let a library write the JSON; do not put it together from strings.",
        ),
        Code::UnsupportedAction => tell(
            "The action named in the request is not one this endpoint knows.",
            "Compare its spelling with the reference.",
        ),
        Code::Unauthenticated => tell(
            "No key came with the request, or what came is no key of this server: mistyped, cut off, or of another installation. Keys carry a checksum, so a mistyped one is known without a look-up.",
            "Send Authorization: Bearer followed by the whole key, or the key in X-API-Key. Routes under /v1/admin take operators' tokens only, all others API keys only.",
        ),
        Code::KeyRevoked => tell(
            "Somebody revoked this key; it stopped working within a second.",
            "Use the key that replaced it, or ask an operator for a new one. If you did not expect it, ask why: the audit log has the reason.",
        ),
        Code::KeyExpired => tell(
            "The key was made with an end, or was rotated and its overlap is over.",
            "Use its successor, or ask an operator for a new key.",
        ),
        _ => tell(
            "The request was read, and what it says is not allowed: a member is missing, unknown, of the wrong type or out of its range. field_errors has each member with what it takes. Nothing was stored.",
            "Correct every member that field_errors names and send again. The same request will fail again.",
        ),
    }
}

const fn on_permission(code: Code) -> Advice {
    match code {
        Code::InsufficientBalance => tell(
            "The wallet's balance, less what is held for messages on their way, does not cover the price of this request. Nothing was sent and nothing was taken.",
            "Top the wallet up, then send again: the same idempotency key works, since refusals are not stored.",
        ),
        Code::SpendCapReached => tell(
            "A cap on spending set for the organization, the key, the country or the number prefix is used up for its window.",
            "Wait for the window to end, or ask an operator to raise the cap. If you did not expect the traffic, look at your decisions first: pumping looks like this.",
        ),
        Code::SubscriptionPastDue => {
            tell("The organization's subscription has not been paid.", "Settle it; sending works again at once.")
        }
        Code::FreePlanExhausted => {
            tell("The free plan's allowance is used up.", "Move to a paid plan, or wait for the allowance to renew.")
        }
        Code::KybNotVerified => tell(
            "WhatsApp, senders with letters and marketing messages need a business that has been verified.",
            "Ask an operator to verify the organization, or send by SMS from a number, with kind otp or transactional.",
        ),
        Code::DestinationNotAllowed => tell(
            "A new organization may send to its own country only; this number is of another one. That keeps a stolen key from being turned into money at expensive destinations.",
            "If you have users there, ask an operator to open the country. GET /v1/account lists those that are open.",
        ),
        Code::RecipientOptedOut => tell(
            "The recipient has said that they want no messages of this kind from you. Codes (kind otp) are not affected.",
            "Stop sending to them; do not try another channel.",
        ),
        Code::FraudBlocked => tell(
            "The fraud guard took the message for abuse. The decision named in the answer lists the reasons.",
            "Do not retry. If it was a real user, give feedback on an earlier message of theirs or ask an operator, with the decision's id.",
        ),
        Code::FraudChallengeRequired => tell(
            "Traffic to this destination looks like pumping, where somebody earns on each SMS. Only channels that pay nobody are open to it.",
            "Offer the user another channel, such as email.",
        ),
        Code::ActivationTooEarly => tell(
            "A number that was just rented may have its code on the way: for the first minutes the rent cannot be cancelled.",
            "Wait as long as Retry-After says, or complete the activation.",
        ),
        Code::OrganizationSuspended => {
            tell("An operator suspended the organization; all its keys are refused.", "Ask the operator why.")
        }
        _ => tell(
            "The key is good, but not for this: it lacks the scope that the route needs (field_errors.required_scope), or the operator's role does not include it. Receipts of carriers are answered so when their signature does not fit.",
            "Use a key that has the scope, or ask an operator for one. Give each of your services only the scopes it needs.",
        ),
    }
}

const fn on_state(code: Code) -> Advice {
    match code {
        Code::MethodNotAllowed => {
            tell("The path exists, but not with this method.", "Use one of the methods that the Allow header lists.")
        }
        Code::RequestTimeout => tell(
            "The connection was open, and the request's body did not arrive in time.",
            "Send it again, in one go. If it happens often, look at the network between you and the server.",
        ),
        Code::IdempotencyMismatch => tell(
            "An idempotency key belongs to one request. This one was used within 24 hours with another method, route or body.",
            "Make a fresh key for each thing you want done, and use it again only to retry exactly that.",
        ),
        Code::IdempotencyInFlight => tell(
            "The first request with this key has not been answered yet; two of them never run at once.",
            "Wait as long as Retry-After says and send the same again: you will get the first one's answer.",
        ),
        Code::MessageNotCancelable => tell(
            "Only a message that is scheduled or queued can be canceled; this one has been handed over, or has ended.",
            "Read the message to see where it is.",
        ),
        Code::VerificationAlreadyDecided => tell(
            "The verification was approved, canceled, has expired or has used up its checks. A code is accepted once.",
            "Start a new verification if the user still has to prove the number.",
        ),
        Code::ActivationAlreadyCompleted => tell(
            "A code came already, or the activation was finished, was cancelled or ran out.",
            "Order a new one where you need it.",
        ),
        Code::BroadcastNotEditable => {
            tell("A broadcast can be edited until it starts.", "Pause or cancel it, and make a new one.")
        }
        Code::PayloadTooLarge => tell(
            "The body is larger than this route takes. It was not read to its end.",
            "Split it: a bulk takes up to 1,000 messages.",
        ),
        Code::UnsupportedMediaType => tell(
            "The body's Content-Type is missing or is not JSON, or the body is compressed.",
            "Send Content-Type: application/json and no Content-Encoding.",
        ),
        _ => tell(
            "The path leads to nothing: the id does not exist, is of another kind, or belongs to somebody else. Which of these it is is not said, so that nobody can find out what others have.",
            "Check the id, the path, and whether the key is of the same organization and mode: a test key does not see live messages.",
        ),
    }
}

const fn on_meaning(code: Code) -> Advice {
    match code {
        Code::TemplateNotApproved => tell(
            "Only approved templates can be sent.",
            "Submit the template and wait for its approval, or use a built-in one.",
        ),
        Code::WhatsappSessionClosed => {
            tell("Free text is allowed for 24 hours after the user's last message only.", "Send an approved template.")
        }
        Code::ChannelNotEnabled => tell(
            "The channel exists, but this organization or this installation cannot send by it yet.",
            "Use another channel, or ask an operator to enable it.",
        ),
        Code::NumberUnreachable => tell(
            "The number is valid, but of a type that cannot take this message: a fixed line for an SMS, a premium number.",
            "Ask the user for a mobile number, or use another channel.",
        ),
        Code::WebhookUrlForbidden => tell(
            "The address is not a public https address: private, local or of another scheme.",
            "Give an address that the world can reach. Operators can open networks of their own with POSTERN_OUTBOUND_ALLOW.",
        ),
        _ => tell(
            "The batch has more messages than the plan could pass in their lifetime, however they were paced.",
            "Split it, give the messages a longer ttl, or move to a larger plan.",
        ),
    }
}

const fn on_limit(code: Code) -> Advice {
    match code {
        Code::SmsPlanCap => tell(
            "The plan allows so many SMS a minute for the organization, over all its keys. Nothing was sent.",
            "Wait as long as Retry-After says. For many messages use bulk with pacing: plan, which spreads them over the minutes.",
        ),
        Code::OtpNumberLimit => tell(
            "A number takes three codes in five minutes, ten in an hour and twenty in a day, over all channels and keys. It protects the person behind it, and keeps a code from being guessed.",
            "Wait as long as Retry-After says; show the user a countdown. Do not switch to another key or channel: they count together.",
        ),
        Code::WhatsappTierLimit => tell(
            "The WhatsApp number has reached as many users in 24 hours as its tier allows. Users it has reached before are not affected.",
            "Wait, or send by another channel. The tier rises with quality and volume.",
        ),
        Code::WhatsappPairLimit => tell(
            "WhatsApp takes one message in six seconds from one number to one user, with a burst allowed.",
            "Wait as long as Retry-After says.",
        ),
        Code::QuotaDailyExceeded => tell(
            "The key has used its requests of this UTC day.",
            "Wait for midnight UTC (X-RateLimit-Reset), or ask an operator for a larger quota. GET /v1/limits shows every limit.",
        ),
        _ => tell(
            "Too many requests came in a window; policy says which limit refused, limit and usage how it stood. A refused request does not make the wait longer.",
            "Wait as long as Retry-After says. Spread requests evenly, and watch X-RateLimit-Remaining to slow down in time.",
        ),
    }
}

const fn on_server(code: Code) -> Advice {
    match code {
        Code::ProviderUnavailable => tell(
            "No carrier that is configured for this destination can take messages now, or a live key has no route there. Nothing was sent and nothing was charged.",
            "Retry with growing pauses and the same idempotency key. Operators: postern doctor checks routes and carriers.",
        ),
        Code::Overloaded => tell(
            "The server's queues are full; it refuses rather than let everybody wait.",
            "Wait as long as Retry-After says, then retry with the same idempotency key.",
        ),
        Code::StorageFull => tell(
            "The database cannot store anything, most often because its disk is full. A 202 means that a message is on disk, so none is given.",
            "Retry later with the same idempotency key. Operators: free space; nothing has to be restarted.",
        ),
        _ => tell(
            "A fault of ours. Its details are in the server's log under the request id, not in the answer.",
            "Retry with growing pauses and the same idempotency key: what took effect is not done twice. If it persists, tell the operator the request id.",
        ),
    }
}
