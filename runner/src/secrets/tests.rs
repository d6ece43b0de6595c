use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;
use serde_json::json;
use windlass_modules::Secret;

use super::Secrets;

const SECRET: &str = "hunter2/\"é'\\>>>?~";

fn secrets(texts: &[&str]) -> Secrets {
    let secrets = Secrets::default();
    for text in texts {
        secrets.add(&Secret::new(*text));
    }
    secrets
}

fn hidden(secrets: &Secrets, text: &str) -> String {
    let mut text = text.to_owned();
    secrets.hide(&mut text);
    text
}

fn percent(text: &str, which: impl Fn(u8) -> bool) -> String {
    text.bytes()
        .map(|byte| {
            if which(byte) || byte == b'%' || !byte.is_ascii() {
                format!("%{byte:02X}")
            } else {
                char::from(byte).to_string()
            }
        })
        .collect()
}

fn unicode(text: &str) -> String {
    let units = text.encode_utf16();
    let units: Vec<String> = units.map(|unit| format!("\\u{unit:04x}")).collect();
    units.concat()
}

fn bytes(text: &str, before: &str) -> String {
    let bytes = text.bytes();
    let bytes: Vec<String> = bytes.map(|byte| format!("{before}{byte:02x}")).collect();
    bytes.concat()
}

fn hex(text: &str) -> String {
    bytes(text, "")
}

/// Each form, as a program would print it within other text.
fn forms_of(secret: &str) -> Vec<(&'static str, String)> {
    let wrapped = |columns: usize| {
        let encoded = STANDARD.encode(format!("{}{secret}{}", "x".repeat(60), "y".repeat(60)));
        let lines: Vec<&str> = encoded
            .as_bytes()
            .chunks(columns)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        lines.join("\n")
    };
    let half = secret.char_indices().nth(5).unwrap().0;
    vec![
        ("as it is", secret.to_owned()),
        ("base64", STANDARD.encode(secret)),
        (
            "base64 after one byte",
            STANDARD.encode(format!("a{secret}b")),
        ),
        ("base64 after two", STANDARD.encode(format!("ab{secret}"))),
        ("base64 of a line", STANDARD.encode(format!("{secret}\n"))),
        ("base64 of URLs", URL_SAFE.encode(format!("user:{secret}"))),
        ("base64 at 76 columns", wrapped(76)),
        ("base64 at 64 columns", wrapped(64)),
        ("hexadecimal", hex(secret)),
        ("capital hexadecimal", hex(secret).to_uppercase()),
        ("percent", percent(secret, |_| true)),
        (
            "percent in small letters",
            percent(secret, |_| true).to_lowercase(),
        ),
        (
            "percent where it must",
            percent(secret, |byte| !byte.is_ascii_alphanumeric()),
        ),
        (
            "percent now and then",
            percent(secret, |byte| byte % 2 == 0),
        ),
        ("JSON", json!(secret).to_string()),
        (
            "JSON with slashes escaped",
            json!(secret).to_string().replace('/', "\\/"),
        ),
        ("JSON in ASCII", unicode(secret)),
        ("JSON in JSON", json!(json!(secret).to_string()).to_string()),
        (
            "JSON in JSON in JSON",
            json!(json!(json!(secret).to_string()).to_string()).to_string(),
        ),
        ("JSON in JSON in ASCII", json!(unicode(secret)).to_string()),
        (
            "quoted for sh",
            format!("'{}'", secret.replace('\'', r"'\''")),
        ),
        (
            "quoted by Python for sh",
            format!("'{}'", secret.replace('\'', "'\"'\"'")),
        ),
        (
            "double quotes of sh",
            secret.replace('\\', r"\\").replace('"', "\\\""),
        ),
        ("in bytes of C", bytes(secret, "\\x")),
        (
            "over two lines",
            format!("{}\r\n    {}", &secret[..half], &secret[half..]),
        ),
    ]
}

/// Whether a reader who knows the form could still read the secret, or much of it.
fn gives_away(text: &str, form: &str) -> bool {
    let short = form.chars().count().min(9);
    let chars: Vec<char> = form.chars().filter(|c| !c.is_whitespace()).collect();
    chars
        .windows(short)
        .any(|part| text.contains(&part.iter().collect::<String>()))
}

#[test]
fn a_secret_is_hidden_in_every_form() {
    let secrets = secrets(&[SECRET]);
    for (what, form) in forms_of(SECRET) {
        let shown = hidden(&secrets, &format!("before {form} after"));
        assert!(shown.starts_with("before "), "{what}: {shown}");
        assert!(shown.ends_with(" after"), "{what}: {shown}");
        assert!(shown.contains("********"), "{what}: {shown}");
        if !what.contains("columns") {
            assert!(!gives_away(&shown, &form), "{what}: {form}: {shown}");
        }
    }
}

#[test]
fn wrapped_base64_cannot_be_decoded_to_the_secret() {
    let secrets = secrets(&[SECRET]);
    for (what, form) in forms_of(SECRET)
        .into_iter()
        .filter(|(what, _)| what.contains("columns"))
    {
        let shown = hidden(&secrets, &form);
        let kept: String = shown.split("********").flat_map(str::lines).collect();
        let whole: String = form.lines().collect();
        assert!(kept.len() + SECRET.len() < whole.len(), "{what}: {shown}");
    }
}

#[test]
fn lines_of_a_key_are_hidden_each_and_over_several_texts() {
    let secrets = secrets(&["line-one\nline-two\n", "a-long-password"]);
    assert_eq!(hidden(&secrets, "… line-two …"), "… ******** …");
    let (mut one, mut other) = ("x a-long-".to_owned(), "password y".to_owned());
    secrets.hide_all(&mut [&mut one, &mut other]);
    assert_eq!((one.as_str(), other.as_str()), ("x ********", "******** y"));
}

#[test]
fn a_secret_inside_another_does_not_leave_the_rest_of_it() {
    let secrets = secrets(&["secret", "secret-and-more", "more-and-secret"]);
    assert_eq!(hidden(&secrets, "x secret-and-more y"), "x ******** y");
    assert_eq!(
        hidden(&secrets, "x secret-and-more-and-secret y"),
        "x ******** y"
    );
}

#[test]
fn short_texts_are_no_secrets_and_nothing_is_hidden_without_any() {
    let secrets = secrets(&["abcde", "  "]);
    assert!(secrets.is_empty());
    assert_eq!(hidden(&secrets, "abcde  "), "abcde  ");
}

#[test]
fn a_host_can_mark_only_so_many() {
    let secrets = Secrets::default();
    let mark =
        |host: &str, number: usize| secrets.mark(host, &Secret::new(format!("secret-{number}")));
    assert!((0..64).all(|number| mark("evil", number)));
    assert!(!mark("evil", 64));
    assert!(mark("evil", 3), "what is known already costs nothing");
    assert!(mark("good", 64));
}

fn learned(data: &serde_json::Value) -> Secrets {
    let secrets = Secrets::default();
    secrets.learn("h", data.as_object().unwrap(), |name| {
        name == "cp-7.example2"
    });
    secrets
}

#[test]
fn what_looks_like_a_secret_in_a_no_log_result_is_one() {
    for (data, secret) in [
        (
            json!({"stdout": "hunter2!x", "stdout_lines": ["hunter2!x"]}),
            "hunter2!x",
        ),
        (json!({"stdout": "s3cretpass"}), "s3cretpass"),
        (
            json!({"stdout": "DB_PASSWORD=Xk29fLq8Zz\nPORT=80"}),
            "Xk29fLq8Zz",
        ),
        (
            json!({"stdout": "{\"token\": \"9f8e7d6c5b4a39281706\"}"}),
            "9f8e7d6c5b4a39281706",
        ),
        (
            json!({"content": STANDARD.encode("machine h password Qw3rTy!9zz\n"), "encoding": "base64"}),
            "Qw3rTy!9zz",
        ),
        (
            json!({"msg": "https://u:p4ss-w0rd!@h/x"}),
            "https://u:p4ss-w0rd!@h/x",
        ),
        (
            json!({"stdout": "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7b1\n-----END KEY-----"}),
            "MIIEpAIBAAKCAQEA7b1",
        ),
        (
            json!({"results": [{"item": {"password": "item-S3cret"}}]}),
            "item-S3cret",
        ),
    ] {
        let text = format!("before {secret} after");
        assert_eq!(
            hidden(&learned(&data), &text),
            "before ******** after",
            "{data}"
        );
    }
}

/// Words as they stand in JSON, and as programs print what they are asked.
const AROUND: &str = r#"{"status": "healthy": "NotReady" "NotReady", ActiveState=active failed=true "Running"}, [ready] (unchanged)
    status:ok 'kube-apiserver-node-01' {"name":"coredns"} path="/etc/kubernetes/pki" "10.0.0.15:6443","#;

/// A hostile node could print them under `no_log` and have them redacted in what other hosts say.
#[test]
fn words_numbers_paths_and_names_are_none() {
    let words = "changed kubernetes 1732780800 /var/lib/kubelet/config.yaml 0644 true v1.31.4-rc.1 10.0.0.15:6443 \
                 kube-apiserver-node-01 2026-11-28T09:00:00Z fe80::0242:33ff:fee4:060f 02:42:33:e4:06:0f \
                 https://example.org/a1b2 Authorization-Mode cp-7.example2 eth0.100 sshd.service RUNNING 100%";
    let words = format!("{words} {AROUND}");
    let words = words.as_str();
    let data = json!({
        "stdout": words, "results": words.split(' ').map(|word| json!({"stdout": word})).collect::<Vec<_>>(),
        "checksum": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    });
    assert_eq!(hidden(&learned(&data), words), words);
}

#[test]
fn a_no_log_result_adds_only_so_much() {
    let many: Vec<String> = (0..1000)
        .map(|number| format!("Aa{number:06}zZ!x"))
        .collect();
    let secrets = learned(&json!({"stdout": many.join("\n"), "msg": "x1y2Z3!!".repeat(10_000)}));
    let shown = hidden(&secrets, &many.join("\n"));
    assert_eq!(shown.matches("********").count(), 64);
}

/// All but what shows less than the beginning that counts, and what is cut within an escape.
#[test]
fn the_beginning_of_a_secret_is_known_in_every_form_wherever_it_is_cut() {
    let secret = "hunter2/\"'\\>>>?~and";
    let secrets = secrets(&[secret]);
    for (what, form) in forms_of(secret) {
        if what.contains("columns") || what.contains("lines") {
            continue;
        }
        let bare = form.trim_matches(['"', '\'', '=']);
        let (quarter, half) = (bare.len() / 4, bare.len() / 2);
        let cuts = (half..bare.len() - quarter).filter(|at| bare.is_char_boundary(*at));
        for cut in cuts {
            let begun = format!("before {}", &bare[..cut]);
            let open = secrets.beginning(&begun);
            // At the end of the beginning may be half of an escape, or of a byte.
            assert!(
                open + 14 >= cut || secrets.within(&[&begun]),
                "{what}: {begun}: {open}"
            );
        }
    }
    assert_eq!(secrets.beginning("before nothing"), 0);
}

#[test]
fn a_secret_that_is_short_without_its_backslashes_is_hidden_where_they_are() {
    for secret in ["aa 0\\!", "\\\\\\\\\\a", "a\\\\b\\\\c\\"] {
        let secrets = secrets(&[secret]);
        for (what, form) in forms_of(secret) {
            if what.contains("columns") {
                continue;
            }
            let shown = hidden(&secrets, &format!("before {form} after"));
            assert!(shown.contains("********"), "{what}: {form:?}: {shown:?}");
        }
        // What is short without them is no secret where they are not.
        let plain = "aa 0! a abc a\\b";
        assert_eq!(hidden(&secrets, plain), plain);
    }
}

proptest! {
    /// Whatever the secret and whatever stands around it: it is never shown, and what is no secret stays.
    #[test]
    fn any_secret_is_hidden_in_any_form(secret in "[ -~é€🦀]{6,40}", around in "[ -~\n]{0,40}") {
        let secret = secret.trim();
        prop_assume!(secret.chars().count() >= 6 && secret.len() >= 6);
        let secrets = secrets(&[secret]);
        for (what, form) in forms_of(secret) {
            if what.contains("columns") { continue; }
            let shown = hidden(&secrets, &format!("{around} {form} {around}"));
            prop_assert!(shown.contains("********"), "{what}: {form:?}: {shown:?}");
        }
        let plain = "0 nothing here";
        if !plain.contains(secret) {
            prop_assert_eq!(hidden(&secrets, plain), plain);
        }
    }

    #[test]
    fn no_text_makes_it_panic(texts in proptest::collection::vec("[%\\\\ux0-9a-fé🦀\n ]{0,12}", 1..6)) {
        let secrets = secrets(&["a0a0a0", "é🦀é🦀"]);
        let mut texts = texts;
        let mut texts: Vec<&mut String> = texts.iter_mut().collect();
        secrets.hide_all(&mut texts);
    }
}
