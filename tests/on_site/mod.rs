//! No `NextPath` leaves the site: for the tests of `next.rs`, and for the fuzzer in `fuzz/`.

use http::HeaderValue;
use login_manager::NextPath;
use percent_encoding::percent_decode_str;
use url::Url;

/// Reads the bytes as a value of `next`, and as a query that has one.
pub(crate) fn next_path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    stays_on_the_site(text);
    stays_on_the_site(&format!("/{text}"));
    for query in [text, &format!("next={text}")] {
        let next = NextPath::from_query(Some(query), "next");
        stays_on_the_site(next.or("/"));
    }
}

/// What is accepted is kept as it is, fits a header, and leads to a page of this site.
pub(crate) fn stays_on_the_site(value: &str) {
    let Ok(next) = NextPath::try_from(value) else {
        return;
    };
    let Some(path) = next.as_str() else {
        assert_eq!(value, "");
        return;
    };
    assert_eq!(path, value);
    assert!(path.starts_with('/') && !path.starts_with("//"));
    assert_eq!(leaves_the_site(path), None);
    assert!(HeaderValue::from_str(path).is_ok());
    assert_eq!(next.redirect_or("/").headers()["location"], path);
}

/// The other site on which a browser would land, from three pages, also after one to three
/// decodings.
pub(crate) fn leaves_the_site(path: &str) -> Option<String> {
    const PAGES: [&str; 3] = [
        "https://www.example.com/login?next=x#y",
        "http://localhost:8080/a/b/c",
        "https://user:pass@xn--bcher-kva.example:8443/a;b/../c/",
    ];
    let mut path = path.to_owned();
    for _ in 0..4 {
        for page in PAGES {
            let page = Url::parse(page).ok()?;
            let Ok(target) = page.join(&path) else {
                return Some(format!("{path:?} is no URL from {page}"));
            };
            // `//host` in the target's own path would be the next one's open redirect.
            if target.origin() != page.origin() || target.path().starts_with("//") {
                return Some(format!("{path:?} from {page} leads to {target}"));
            }
        }
        path = percent_decode_str(&path).decode_utf8_lossy().into_owned();
    }
    None
}
