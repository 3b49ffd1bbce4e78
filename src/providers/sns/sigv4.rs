//! AWS Signature Version 4 of one POST of a form. The library for it brings more than twenty crates, of which one POST
//! would use this much. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
//! Pure.

use reqwest::Url;

use crate::clock::Millis;
use crate::secret::{hex, hmac_sha256, sha256};

/// The content type that is signed and sent.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// Whose signature.
pub struct Keys<'a> {
    /// The access key's id.
    pub id: &'a str,
    /// The access key's secret.
    pub secret: &'a str,
    /// The token of temporary keys.
    pub session: Option<&'a str>,
}

/// What a signature is for.
pub struct Scope<'a> {
    /// `eu-west-1`.
    pub region: &'a str,
    /// `sns`.
    pub service: &'a str,
    /// When; AWS takes five minutes more or less.
    pub at: Millis,
}

/// The headers that make a POST of `body` to `url` a signed one, beside its content type.
pub fn headers(keys: &Keys<'_>, scope: &Scope<'_>, url: &Url, body: &str) -> Vec<(&'static str, String)> {
    let date = jiff::Timestamp::from_millisecond(scope.at.0).unwrap_or_default().strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = date.get(..8).unwrap_or_default();
    let mut signed = vec![("content-type", String::from(FORM)), ("host", host(url)), ("x-amz-date", date.clone())];
    signed.extend(keys.session.map(|token| ("x-amz-security-token", String::from(token))));
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let request = format!("POST\n{}\n\n{lines}\n{names}\n{}", url.path(), hex(&sha256(body.as_bytes())));
    let place = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{place}\n{}", hex(&sha256(request.as_bytes())));
    let steps = [day, scope.region, scope.service, "aws4_request", &text];
    let first = format!("AWS4{}", keys.secret).into_bytes();
    let signature = steps.iter().fold(first, |key, step| hmac_sha256(&key, step.as_bytes()).to_vec());
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{place}, SignedHeaders={names}, Signature={}",
        keys.id,
        hex(&signature)
    );
    let sent = signed.into_iter().filter(|(name, _)| name.starts_with("x-amz-"));
    sent.chain([("authorization", authorization)]).collect()
}

/// The `Host` that the client will send: with the port where it is not the scheme's own.
fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| String::from(name), |port| format!("{name}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2015-08-30T12:36:00Z, the moment of AWS's published test suite.
    const AT: Millis = Millis(1_440_938_160_000);

    fn authorization(session: Option<&str>, url: &str, body: &str) -> String {
        let keys = Keys { id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", session };
        let scope = Scope { region: "us-east-1", service: "service", at: AT };
        let mut headers = headers(&keys, &scope, &Url::parse(url).unwrap(), body);
        assert_eq!(headers[0], ("x-amz-date", String::from("20150830T123600Z")));
        headers.pop().unwrap().1
    }

    #[test]
    fn awss_own_vector_of_a_posted_form_holds() {
        // aws-sig-v4-test-suite, post-x-www-form-urlencoded.
        let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                        SignedHeaders=content-type;host;x-amz-date, \
                        Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a";
        assert_eq!(authorization(None, "https://example.amazonaws.com/", "Param1=value1"), expected);
    }

    #[test]
    fn the_body_the_host_and_the_session_are_signed() {
        let plain = authorization(None, "https://example.amazonaws.com/", "Param1=value1");
        assert_ne!(authorization(None, "https://example.amazonaws.com/", "Param1=value2"), plain);
        assert_ne!(authorization(None, "https://example.amazonaws.com:8443/", "Param1=value1"), plain);
        let session = authorization(Some("t"), "https://example.amazonaws.com/", "Param1=value1");
        assert!(session.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "), "{session}");
    }
}
