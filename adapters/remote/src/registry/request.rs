//! One request to the registry, as data: it can be sent again.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri};

use crate::content::BlobSource;

/// What a request carries.
#[derive(Clone, Debug)]
pub(super) enum Body {
    None,
    Bytes(Bytes),
    Stream(BlobSource, u64),
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub(super) enum Destination {
    /// A path and query on the registry itself.
    Target(String),
    /// An address that the registry named, such as an upload's.
    Named(Uri),
}

/// Whether the same request may be sent again after it broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Yes: twice is as good as once.
    Safe,
    /// No: whoever sends it starts over.
    Unsafe,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) to: Destination,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Body,
    pub(super) again: Again,
    /// What a token has to allow.
    pub(super) scopes: Vec<String>,
    /// The thing that is asked for, for "there is no …".
    pub(super) what: String,
    /// What is tried, for "not allowed to …".
    pub(super) action: String,
}

impl Request {
    pub(super) fn new(method: Method, target: impl Into<String>) -> Self {
        Self {
            method,
            to: Destination::Target(target.into()),
            headers: Vec::new(),
            body: Body::None,
            again: Again::Safe,
            scopes: Vec::new(),
            what: "such address".to_owned(),
            action: String::new(),
        }
    }

    pub(super) fn get(target: impl Into<String>) -> Self {
        Self::new(Method::GET, target)
    }

    /// To an address that the registry named.
    pub(super) fn to_named(method: Method, uri: Uri) -> Self {
        Self { to: Destination::Named(uri), ..Self::new(method, "") }
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// A header whose value was made from words of ours and parsed names.
    pub(super) fn text(self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => self.header(name, value),
            // A stranger's media type with a line break in it: without the header the registry decides.
            Err(_) => self,
        }
    }

    pub(super) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    pub(super) fn once(mut self) -> Self {
        self.again = Again::Unsafe;
        self
    }

    pub(super) fn scopes(mut self, scopes: Vec<String>) -> Self {
        self.scopes = scopes;
        self
    }

    pub(super) fn about(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }

    pub(super) fn doing(mut self, action: impl Into<String>) -> Self {
        self.action = action.into();
        self
    }
}
