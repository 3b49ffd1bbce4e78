//! Meta's errors as Meta writes them. Pure.

use serde_json::{Value, json};

/// An error of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its code.
    pub code: i64,
    /// What is said besides, instead of the usual words.
    pub details: Option<String>,
}

impl Fault {
    /// The error with this code.
    pub fn of(code: i64) -> Fault {
        Fault { code, details: None }
    }

    /// With other details.
    pub fn because(code: i64, details: impl Into<String>) -> Fault {
        Fault { code, details: Some(details.into()) }
    }

    /// The HTTP status that answers with it.
    pub fn status(&self) -> u16 {
        match self.code {
            0 | 190 => 401,
            3 | 10 | 200..=299 | 131_005 | 368 => 403,
            132_001 => 404,
            131_000 | 131_016 | 131_057 => 500,
            133_004 => 503,
            _ => 400,
        }
    }

    /// As the body of an answer.
    pub fn answer(&self) -> Value {
        if self.code == 190 {
            let message = "Error validating access token: Session has expired.";
            let error = json!({"message": message, "type": "OAuthException", "code": 190, "error_subcode": 463,
                "fbtrace_id": TRACE});
            return json!({ "error": error });
        }
        json!({"error": {
            "message": format!("(#{}) {}", self.code, title(self.code)),
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.words()},
            "fbtrace_id": TRACE,
        }})
    }

    /// As it stands in a webhook.
    pub fn told(&self) -> Value {
        json!({
            "code": self.code,
            "title": title(self.code),
            "message": title(self.code),
            "error_data": {"details": self.words()},
            "href": "/documentation/business-messaging/whatsapp/support/error-codes",
        })
    }

    fn words(&self) -> String {
        self.details.clone().unwrap_or_else(|| format!("{}.", title(self.code)))
    }
}

const TRACE: &str = "ASimulatedTraceId00001";

/// The titles of the codes; texts change at Meta, codes stay.
pub fn title(code: i64) -> &'static str {
    match code {
        0 => "AuthException",
        3 => "API Method",
        4 => "API Too Many Calls",
        10 => "Permission Denied",
        100 => "Invalid parameter",
        190 => "Access token has expired",
        200..=299 => "API Permission",
        368 => "Temporarily blocked for policies violations",
        80_007 => "Rate limit issues",
        130_429 => "Rate limit hit",
        130_472 => "User's number is part of an experiment",
        130_497 => "Business account is restricted from messaging users in this country.",
        131_000 => "Something went wrong",
        131_005 => "Access denied",
        131_008 => "Required parameter is missing",
        131_009 => "Parameter value is not valid",
        131_016 => "Service unavailable",
        131_021 => "Recipient cannot be sender",
        131_026 => "Message undeliverable",
        131_030 => "Recipient phone number not in allowed list",
        131_031 => "Account has been locked",
        131_042 => "Business eligibility payment issue",
        131_047 => "Re-engagement message",
        131_048 => "Spam rate limit hit",
        131_049 => "This message was not delivered to maintain healthy ecosystem engagement.",
        131_050 => "User has stopped marketing messages",
        131_051 => "Unsupported message type",
        131_056 => "(Business Account, Consumer Account) pair rate limit hit",
        131_057 => "Account in maintenance mode",
        131_062 => "BSUID recipients not supported",
        131_063 => "Marketing templates are off",
        131_064 => "Template classification violations",
        132_000 => "Template Param Count Mismatch",
        132_001 => "Template does not exist",
        132_005 => "Template Hydrated Text Too Long",
        132_007 => "Template Format Character Policy Violated",
        132_012 => "Template Parameter Format Mismatch",
        132_015 => "Template is Paused",
        132_016 => "Template is Disabled",
        133_004 => "Server Temporarily Unavailable",
        133_010 => "Phone number Not Registered",
        _ => "Some error that this simulator has no words for",
    }
}

/// Whether the title is known: the codes that a magic recipient may ask for.
pub fn is_known(code: i64) -> bool {
    title(code) != title(-1)
}
