//! The registry's router: a method, a path and a query, each on its own line.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let method = lines.next().unwrap_or_default().parse::<http::Method>();
    let (path, query) = (lines.next().unwrap_or_default(), lines.next());
    oci::fuzz::routes(&method.unwrap_or(http::Method::GET), path, query);
});
