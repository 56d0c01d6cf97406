//! `NextPath` against known open-redirect attacks and random values.

mod on_site;

use login_manager::NextPath;
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use self::on_site::{leaves_the_site, next_path, stays_on_the_site};
use Verdict::{Accepted, Refused};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused,
}

/// Values by kind or attack. The site is `www.example.com`, the attacker's is `evil.com`.
const VALUES: &[(Verdict, &str, &[&str])] = &[
    (
        Accepted,
        "pages",
        &[
            "/",
            "/a/b/c",
            "/settings/profile",
            "/index.html",
            "/things/stuff",
            "/a/b/",
            "/a=b",
            "/a?x=1#frag",
            "/?",
            "/#",
            "/??",
            "/#/route?x=1",
            "/~me/-._!$&'()*+,;=:@",
        ],
    ),
    (
        Accepted,
        "percent-encoded characters",
        &[
            "/caf%C3%A9",
            "/caf%c3%a9?x=%E2%82%AC",
            "/a%20b",
            "/100%25",
            "/100%2525",
            "/a%2Fb",
            "/a%5Cb",
            "/a%22%3C%3E",
            "/%E2%80%A8x",
            "/%25zz",
        ],
    ),
    (
        Accepted,
        "empty segments and dot segments, but not both",
        &[
            "/a/b//",
            "/a//b",
            "/foo/../bar",
            "/.",
            "/..",
            "/./a",
            "/a/./",
            "/a/%2e%2e/b",
            "/...",
            "/..a//b",
            "/.well-known//x",
        ],
    ),
    (
        Accepted,
        "path parameters",
        &["/;@evil.com", "/..;/admin", "/a;v=1/b;v=2", "/;", "/a;//b"],
    ),
    (
        Accepted,
        "a scheme or host where it is only text",
        &[
            "/view/?param=https://evil.com",
            "/view?param=ftp://evil.com",
            "/?a=//evil.com",
            "/?a=@evil.com",
            "/?url=javascript:alert(1)",
            "/javascript:alert(1)",
            "/@evil.com",
            "/a@evil.com",
            "/:80",
            "/.evil.com",
            "/https://evil.com",
            "/a#//evil.com",
            "/?//evil.com",
            "/?/../..//evil.com",
            "/%3F//evil.com",
            "/%23//evil.com",
        ],
    ),
    (
        Accepted,
        "anything percent-encoded in a query",
        &[
            "/s?text=a%0D%0Ab",
            "/s?q=%FF%00",
            "/s?q=%5C%5Cevil.com",
            "/s?q=%2F%2Fevil.com",
            "/s#%0D%0A",
        ],
    ),
    (
        Refused,
        "blank",
        &["  ", " ", "\n", "\t", "\0", "\u{feff}", "\u{a0}"],
    ),
    (
        Refused,
        "a URL",
        &[
            "http://evil.com",
            "https://example.com",
            "HTTPS://example.com/",
            "http://example.com/confirm?email=me@evil.com",
            "ftp://evil.com",
            "http:///evil.com",
            "http:/evil.com",
            "http:evil.com",
            "https:",
            "https:/%5cevil.com/",
            "https://%5cevil.com",
            "https:///evil.com/%2e%2e",
            "https:///www.example.com@evil.com/%2e%2e",
            "https://%65%76%69%6c%2e%63%6f%6d",
            "http:/\\//evil.com",
            "https:\\/\\/evil.com",
            "h\nttps://evil.com",
            "ht\ttps://evil.com",
            " https://evil.com",
            "\u{1}https://evil.com",
            "ftp:9999999999",
            "ws://evil.com",
        ],
    ),
    (
        Refused,
        "a URL that only looks like this site",
        &[
            "http:\\\\example.com\\@evil.com",
            "http:\\\\example.com\\confirm\\me@evil.com",
            "http://example.com\\me:pass@evil.com",
            "http://example.com\\@evil.com",
            "http://evil.com:80#@www.example.com/",
            "http://www.example.com+&@evil.com#+@www.example.com/",
            "http://;@evil.com",
            "https://evil.com.example.com.evil.com",
            "https://example.comevil.com",
            "https://www.example.com",
            "//www.example.com",
            "//evil.com\\@www.example.com",
        ],
    ),
    (
        Refused,
        "a host written as a number or in other letters",
        &[
            "http://0xd8.0x3a.0xd6.0xce",
            "http://0xd83ad6ce",
            "http://3627734734",
            "//0x7f.1",
            "//\u{24d4}vil.com",
            "//evil\u{3002}com",
        ],
    ),
    (
        Refused,
        "a scheme that isn't a page",
        &[
            "javascript:alert(1)",
            "javascript:alert(\"XSS\")",
            "java\rscript:alert(1)",
            "JavaScript:alert(1)",
            "<>javascript:alert(1);",
            "//javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://example.com/1",
            "mailto:a@evil.com",
            "tel:123",
            "view-source:/",
        ],
    ),
    (
        Refused,
        "a host after two or more slashes",
        &[
            "//",
            "///",
            "//evil.com",
            "///evil.com",
            "////example.com",
            "/////evil.com",
            "///www.rubyonrails.org/",
            "//evil.com//",
            "//evil.com/%2f%2e%2e",
            "//%09/evil.com",
            "//%2f%2fevil.com",
            "//evil%E3%80%82com",
            "//evil%00.com",
            "//@evil.com",
            "//?//evil.com",
            "//[::1]/",
        ],
    ),
    (
        Refused,
        "backslashes, which browsers take for slashes",
        &[
            "\\\\",
            "\\\\evil.com",
            "\\/evil.com",
            "\\evil.com",
            "/\\evil.com",
            "/\\\\evil.com",
            "/\\/\\evil.com",
            "/\\/evil.com",
            "/a\\b",
            "/?x=\\",
            "/#\\",
        ],
    ),
    (
        Refused,
        "controls and white space, which browsers strip",
        &[
            "\u{8}//evil.com",
            "\r\n//evil.com",
            " //evil.com",
            " /a",
            "\t/a",
            "\n/a",
            "/a ",
            "/ /evil.com",
            "/\t/evil.com",
            "/\r/evil.com",
            "/\n/evil.com",
            "/\r\n/evil.com",
            "/\t\\evil.com",
            "/.\t./\t/evil.com",
            "/a\tb",
            "/a\u{b}b",
            "/a\0b",
            "/a\u{7f}b",
            "/\u{1f}/evil.com",
            "/?\n",
        ],
    ),
    (
        Refused,
        "a second header or a body, by line breaks",
        &[
            "/lol\r\nwat",
            "/a\r\nSet-Cookie: x=1",
            "/a%0d%0aLocation:%20//evil.com",
            "/a%0D%0A%0D%0A%3Cscript%3E",
            "/a%0a",
            "/a%250d%250aSet-Cookie:%20x=1",
            "/a%E5%98%8D\r",
            "/a%C2%85",
        ],
    ),
    (
        Refused,
        "a second slash, percent-encoded",
        &[
            "/%2f/evil.com",
            "/%2fevil.com",
            "/%2Fevil.com",
            "/%5cevil.com",
            "/%5c/evil.com",
            "/%5C%5Cevil.com",
            "/%5cjavascript:alert(1)",
            "/%2f%5c%2f%65%76%69%6c%2e%63%6f%6d/",
            "/%2F",
            "%2f%2fevil.com",
            "%2fevil.com",
        ],
    ),
    (
        Refused,
        "percent-encoded more than once",
        &[
            "/%252fevil.com",
            "/%252Fevil.com",
            "/%255Cevil.com",
            "/%25252fevil.com",
            "/%25%32%66evil.com",
            "/%2%66evil.com",
            "/%252e%252e//evil.com",
            "/a%2500",
            "/a%25ff",
        ],
    ),
    (
        Refused,
        "percent-encoded controls",
        &[
            "/%0d/evil.com",
            "/%09/evil.com",
            "/%00/evil.com",
            "/%09%2fevil.com",
            "/%0A",
            "/%7F",
            "/%1b[31m",
        ],
    ),
    (
        Refused,
        "dot segments before two slashes",
        &[
            "/.//evil.com",
            "/..//evil.com",
            "/..///evil.com",
            "/%2E//evil.com",
            "/%2e%2E//evil.com",
            "/.%2e//evil.com",
            "/a/..//evil.com",
            "/a/b/../..//evil.com",
            "/a//../..//evil.com",
            "/a//../evil.com",
            "/..\\/evil.com",
            "/..%5c/evil.com",
            "/..%2f/evil.com",
            "/..%2f%2fevil.com",
            "/a/..%5C%5Cevil.com",
            "/..//",
            "/.//",
        ],
    ),
    (
        Refused,
        "path parameters before two slashes",
        &[
            "/;/evil.com",
            "/;x=1/evil.com",
            "/..;//evil.com",
            "/.;a//evil.com",
            "/a/..;//evil.com",
            "/%3B/evil.com",
            "/%2e%2e%3b//evil.com",
            "/;%2fa/evil.com",
        ],
    ),
    (
        Refused,
        "not UTF-8",
        &[
            "/%ff",
            "/%C3",
            "/%80abc",
            "/%C0%AF/evil.com",
            "/%C0%AFevil.com",
            "/%E0%80%AFevil.com",
            "/%ED%A0%80",
        ],
    ),
    (
        Refused,
        "a percent sign without its digits",
        &[
            "/%",
            "/a%2",
            "/%zz",
            "/%%41",
            "/%u002fevil.com",
            "/?q=100%",
            "/#%",
            "/%+1",
        ],
    ),
    (
        Refused,
        "characters beyond ASCII",
        &[
            "/caf\u{e9}",
            "/?\u{e9}",
            "/#\u{e9}",
            "/\u{ff0f}\u{ff0f}evil.com",
            "/\u{ff0f}evil.com",
            "/\u{2215}evil.com",
            "/\u{ff3c}evil.com",
            "/\u{200b}/evil.com",
            "\u{200b}//evil.com",
            "/\u{2028}/evil.com",
            "/\u{85}/evil.com",
            "/\u{202e}moc.live",
            "/\u{feff}/evil.com",
            "\u{3035}evil.com",
            "\u{309d}evil.com",
            "\u{ff0f}evil.com",
        ],
    ),
    (
        Refused,
        "characters that a URL never has as they are",
        &[
            "/\"onmouseover=x",
            "/<script>",
            "/a>b",
            "/a^b",
            "/a`b",
            "/{x}",
            "/a|b",
            "/[x]",
            "/?a[]=1",
            "/?a|b",
            "/a#b#c",
        ],
    ),
    (
        Refused,
        "relative to the page",
        &[
            "dashboard",
            "./a",
            ".",
            "..",
            "../a",
            "?foo=bar",
            "?x=1",
            "#x",
            "&x",
            ";x",
            ".evil.com",
            "evil.com",
            "evil.com/path",
            "www.evil.com",
            "@evil.com",
            ":80",
            "localhost",
            "localhost:80/",
            "path/http:2222222222",
            "*",
            "null",
        ],
    ),
];

#[test]
fn every_value_gets_its_verdict() {
    for (verdict, kind, values) in VALUES {
        for value in *values {
            let next = NextPath::try_from(*value);
            assert_eq!(
                next.is_ok(),
                *verdict == Accepted,
                "{kind}: {value:?}: {next:?}"
            );
            assert_eq!(value.parse(), next);
            assert_eq!(NextPath::try_from(value.to_string()), next);
        }
    }
}

#[test]
fn what_is_refused_leads_to_the_default() {
    for (verdict, kind, values) in VALUES {
        for value in *values {
            let next: NextPath = serde_json::from_value(serde_json::json!(value)).unwrap();
            let expected = if *verdict == Accepted {
                value
            } else {
                "/dashboard"
            };
            assert_eq!(next.or("/dashboard"), expected, "{kind}: {value:?}");

            let response = next.redirect_or("/dashboard");
            assert_eq!(response.status(), 303);
            assert_eq!(response.headers()["location"], expected);
            assert_eq!(response.body(), "");
        }
    }
}

#[test]
fn long_values_are_refused_by_length() {
    let longest = format!("/{}", "a".repeat(2047));
    assert!(NextPath::try_from(&*longest).is_ok());
    assert!(NextPath::try_from(format!("{longest}a")).is_err());
    for long in [
        "%2e".repeat(3000),
        "a".repeat(1 << 20),
        "%25".repeat(1 << 20),
        "../".repeat(1 << 20),
    ] {
        let error = NextPath::try_from(format!("/{long}")).unwrap_err();
        assert!(error.to_string().ends_with("is too long"), "{error}");
    }
}

#[test]
fn what_is_accepted_stays_on_the_site() {
    for (_, _, values) in VALUES.iter().filter(|(verdict, ..)| *verdict == Accepted) {
        for value in *values {
            assert_eq!(leaves_the_site(value), None, "{value}");
        }
    }
}

/// The fuzzer's seeds, and what it finds.
#[test]
fn every_seed_of_the_fuzzer_stays_on_the_site() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/next_path");
    for seed in std::fs::read_dir(seeds).unwrap() {
        next_path(&std::fs::read(seed.unwrap().path()).unwrap());
    }
}

#[test]
fn an_empty_field_is_none() {
    assert_eq!(NextPath::try_from(""), Ok(NextPath::none()));
    assert_eq!(
        serde_json::from_str::<NextPath>("\"\"").unwrap(),
        NextPath::none()
    );
    assert_eq!(
        serde_json::from_str::<NextPath>("null").unwrap(),
        NextPath::none()
    );
    assert!(serde_json::from_str::<NextPath>("1").is_err());
}

#[test]
fn none_is_the_default() {
    let none = NextPath::default();
    assert_eq!(none, NextPath::none());
    assert_eq!(none.as_str(), None);
    assert_eq!(none.or("https://shop.example/"), "https://shop.example/");
    assert_eq!(none.to_string(), "");
    assert_eq!("/a?b".parse::<NextPath>().unwrap().to_string(), "/a?b");
}

#[test]
fn a_default_that_no_header_holds_is_percent_encoded() {
    let location =
        |default: &str| NextPath::none().redirect_or(default).headers()["location"].clone();
    assert_eq!(
        location("https://shop.example/a?b#c"),
        "https://shop.example/a?b#c"
    );
    assert_eq!(location("/caf\u{e9} au lait"), "/caf%C3%A9%20au%20lait");
    assert_eq!(
        location("/a\r\nSet-Cookie: x=1\0\u{7f}"),
        "/a%0D%0ASet-Cookie:%20x=1%00%7F"
    );
}

#[test]
fn error_says_what_is_accepted_without_the_value() {
    let error = NextPath::try_from("//evil.com/<script>\u{1b}[31m").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`next` must be a local path of at most 2048 bytes, like `/photos?page=2`; \
         this one doesn't begin with exactly one `/`"
    );
    assert!(!format!("{error:?}").contains("evil"));
}

/// Parts of attacks, or any text.
fn value() -> impl Strategy<Value = String> {
    let well_formed = [
        "/",
        "/",
        "/",
        ".",
        "..",
        "?",
        "#",
        "@",
        ":",
        ";",
        "a",
        "evil.com",
        "https:",
        "b=c",
        "&",
        "%25",
        "%2f",
        "%2F",
        "%5c",
        "%5C",
        "%2e",
        "%2E",
        "%3b",
        "%09",
        "%0d",
        "%0a",
        "%252f",
        "%C3%A9",
        "%EF%BC%8F",
    ];
    let ill_formed = [
        "\\", "%", "%2", "\t", "\r", "\n", "\0", " ", "\u{e9}", "\u{200b}", "\u{ff0f}", "\u{2028}",
        "%ff",
    ];
    let well_formed = prop::sample::select(well_formed.to_vec());
    let ill_formed = prop::sample::select(ill_formed.to_vec());
    let attack = prop::collection::vec(prop_oneof![40 => well_formed, 1 => ill_formed], 0..10);
    prop_oneof![
        8 => attack.clone().prop_map(|tokens| format!("/{}", tokens.concat())),
        1 => attack.prop_map(|tokens| tokens.concat()),
        1 => any::<String>(),
        1 => any::<String>().prop_map(|text| format!("/{text}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_accepted_value_stays_on_the_site(value in value()) {
        stays_on_the_site(&value);
    }

    #[test]
    fn any_default_makes_a_redirect(default in any::<String>()) {
        let response = NextPath::none().redirect_or(&default);
        let location = response.headers()["location"].to_str().unwrap();
        prop_assert_eq!(
            percent_decode_str(location).collect::<Vec<_>>(),
            percent_decode_str(&default).collect::<Vec<_>>()
        );
    }
}
