//! What time an API server says that it is: nodes, API server and record have a clock each, and times of theirs are kept.
//!
//! ```text
//! GET /version  ->  Date: Tue, 17 Mar 2026 14:39:58 GMT
//! ```
//! The header has whole seconds. Source: RFC 9110, 5.6.7 and 6.6.1.

use crate::connect::Cluster;
use domain::Timestamp;
use http::HeaderMap;
use k8s_openapi::jiff::fmt::rfc2822;
use kube::client::Body;

/// The longest date that is read.
const DATE_LEN_MAX: usize = 64;

impl Cluster {
    /// What time the API server says that it is; none: it could not be told.
    pub async fn server_time(&self) -> Option<Timestamp> {
        let request = http::Request::get("/version").body(Body::empty()).ok()?;
        let what = || "the version of the API server".to_owned();
        let answer = self.within("get", what, self.client.send(request)).await.ok()?;
        date(answer.headers())
    }
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(http::header::DATE)?.to_str().ok()?;
    if text.len() > DATE_LEN_MAX || !text.ends_with("GMT") {
        return None;
    }
    let at = rfc2822::parse(text).ok()?.timestamp();
    Some(Timestamp::from_millis(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 9110, 5.6.7.
    #[test]
    fn a_date_is_read_and_what_is_none_is_unknown() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::DATE, text.parse().unwrap());
            date(&headers)
        };
        let known = of("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(known, Some(Timestamp::from_millis(784_111_777_000)));
        let long = format!("{}Sun, 06 Nov 1994 08:49:37 GMT", " ".repeat(DATE_LEN_MAX));
        for other in ["", "yesterday", "Sun, 06 Nov 1994 08:49:37 +0100", &long] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(date(&HeaderMap::new()), None);
    }
}
