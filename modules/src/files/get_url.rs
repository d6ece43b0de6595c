//! `get_url`: a file from a web server, on the host that runs the task.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::args::mode::Mode;
use crate::args::path::RemotePath;
use crate::args::{Data, Flag, Number, SecretText, Text, scalar_text};
use crate::describe::{CheckMode, Invalid, Return, Rule, When};
use crate::files::write::{ATTRIBUTES, Attributes, Options, attribute_data, check_mode, warnings};
use crate::host::Input;
use crate::kit::{self, Part, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};
use crate::secret::Secret;

const PARTS: &[Part] = &[Part {
    name: "download",
    source: include_str!("../kit/download.sh"),
    needs: &[&kit::WRITE],
}];

/// Downloads a file with curl or wget on the host that runs the task; with `delegate_to: localhost` that is
/// the control host.
///
/// Give a `checksum`: then what is downloaded is checked before it takes its place, and a file that has it
/// already is not downloaded again, so a second run needs no network. Without it a file that exists is left
/// alone, unless `force` is set. The file is written whole or not at all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetUrlArgs {
    /// What to download: `https://…`, `http://…`, or whatever else the host's curl knows.
    url: Text,
    /// Where to. If it is a folder, or ends with `/`, the file is named after the last part of the URL.
    dest: RemotePath,
    /// What the file must have: `sha256:…`, or with `md5`, `sha1`, `sha224`, `sha384`, `sha512`.
    checksum: Option<Text>,
    /// Without `checksum`: download every time, and replace the file if it differs.
    #[serde(default)]
    force: Flag,
    /// How many seconds to wait for a connection, and for a server that sends nothing.
    #[serde(default = "ten")]
    timeout: Number<u64>,
    /// Headers of the request, a mapping. Needs curl.
    headers: Option<Data>,
    /// The user name for HTTP's basic authentication. Needs curl.
    url_username: Option<Text>,
    /// The password that belongs to it.
    url_password: Option<SecretText>,
    /// `no`: take any certificate of the server's. Only with a checksum is that harmless.
    #[serde(default = "Flag::yes")]
    validate_certs: Flag,
    /// Keep a copy of the file as it was beside it, named with the time.
    #[serde(default)]
    backup: Flag,
    /// The mode: octal in quotes (`'0644'`) or symbolic (`u=rw,g=r,o=`).
    mode: Option<Mode>,
    /// The user who owns the file, by name or number.
    owner: Option<Text>,
    /// The group of the file, by name or number.
    group: Option<Text>,
}

const fn ten() -> Number<u64> {
    Number(10)
}

/// The names of checksums, and how many digits each has.
const CHECKSUMS: [(&str, usize); 6] = [
    ("md5", 32),
    ("sha1", 40),
    ("sha224", 56),
    ("sha256", 64),
    ("sha384", 96),
    ("sha512", 128),
];

impl Arguments for GetUrlArgs {
    const NAME: &'static str = "get_url";
    const NEEDS: &'static [&'static str] = &[
        "curl or wget; curl for `headers` and `url_username`; curl or GNU wget for a password in `url`",
        "`sha256sum`, or the tool of another algorithm, for `checksum`",
    ];
    const RULES: &'static [Rule] = &[Rule::Needs(
        When::Given(&["url_password"]),
        &["url_username"],
    )];
    const RETURNS: &'static [Return] = &Return::joined::<12>(&[
        &[
            Return::text("url", "what was downloaded"),
            Return::text("dest", "the file on the node"),
            Return::int("elapsed", "how long it took, in seconds"),
            Return::int(
                "status_code",
                "what the server answered, where curl asked it",
            ),
        ],
        &ATTRIBUTES,
        &[Return::text(
            "backup_file",
            "the copy of the file as it was, if there is one",
        )],
    ]);
    const CHECK_MODE: CheckMode =
        CheckMode::Does("It downloads nothing, and is changed where a download is due.");
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Have a tool that has exactly this content\n  get_url:\n    url: https://example.com/releases/tool-1.2\n    dest: /usr/local/bin/tool\n    checksum: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n    mode: '0755'\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        if !self.url.contains("://") {
            return Err(Invalid::new(
                &["url"],
                format!("`{}` is not a URL like https://…", self.url),
            ));
        }
        check_mode(self.mode.as_ref())?;
        self.request().map(drop).map_err(Invalid::about(&[
            "url",
            "headers",
            "url_username",
            "url_password",
        ]))?;
        self.wanted()
            .map(drop)
            .map_err(Invalid::about(&["checksum"]))
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let (algorithm, sum) = self.wanted().map_err(Failure::new)?;
        let request = self.request().map_err(Failure::new)?;
        let headers = self
            .headers
            .as_ref()
            .and_then(|headers| headers.as_object());
        let headers = headers.is_some_and(|headers| !headers.is_empty());
        let more = headers || self.url_username.is_some();
        self.hide(context);
        let mut options = Options::new(context);
        options.word("dest", &self.dest.word());
        options.text("base", &self.base());
        options.flag("force", *self.force);
        options.flag("backup", *self.backup);
        options.flag("parents", self.dest.as_str().ends_with('/'));
        Attributes::of(self.mode.as_ref(), self.owner.as_ref(), self.group.as_ref())
            .options(&mut options);
        let flag = |yes: bool| if yes { "1" } else { "0" }.to_owned();
        let words = [
            self.url.0.clone(),
            algorithm,
            sum,
            (*self.timeout).max(1).to_string(),
            flag(!*self.validate_certs),
            match self.credentials() {
                Some(_) if !more => "user".to_owned(),
                _ => flag(more),
            },
        ];
        let script = kit::script(PARTS, options.then(&kit::call("w_download", &words)));
        let script = script.stdin(Input::Secret(request));
        let records = Records::read(&context.host.run(script).await?)?;
        Ok(self.outcome(&records))
    }
}

impl GetUrlArgs {
    /// The algorithm and the digits of the checksum; empty where there is none.
    fn wanted(&self) -> Result<(String, String), String> {
        let Some(checksum) = self.checksum.as_ref().filter(|text| !text.is_empty()) else {
            return Ok((String::new(), String::new()));
        };
        let form = || {
            format!(
                "`checksum: {checksum}` is not of the form sha256:64 hexadecimal digits (or {})",
                CHECKSUMS.map(|(name, _)| name).join(", ")
            )
        };
        let (name, digits) = checksum.split_once(':').ok_or_else(form)?;
        let digits = digits.trim().to_ascii_lowercase();
        let (name, length) = CHECKSUMS
            .iter()
            .find(|(known, _)| *known == name.trim().to_ascii_lowercase())
            .ok_or_else(form)?;
        if digits.len() != *length || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(form());
        }
        Ok(((*name).to_owned(), digits))
    }

    /// The name of the file, where the destination is a folder.
    fn base(&self) -> String {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        let path = path.split_once("://").map_or(path, |(_, rest)| rest);
        match path.rsplit_once('/') {
            Some((_, name)) if !name.is_empty() => name.to_owned(),
            _ => "index.html".to_owned(),
        }
    }

    /// `user:password` of a URL like `https://user:password@host/…`.
    fn credentials(&self) -> Option<&str> {
        let (_, rest) = self.url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        authority.rsplit_once('@').map(|(user, _)| user)
    }

    /// Passwords are secret from now on.
    fn hide(&self, context: &Context<'_>) {
        if let Some(password) = &self.url_password {
            context.control.hide(password);
        }
        if let Some((_, password)) = self.credentials().and_then(|both| both.split_once(':')) {
            context.control.hide(&Secret::new(password));
        }
    }

    /// What curl reads from its standard input, so that nobody sees it in a list of processes.
    fn request(&self) -> Result<Secret, String> {
        let mut lines = setting("url", &self.url)?;
        if let Some(headers) = &self.headers {
            let headers = headers
                .as_object()
                .ok_or("`headers` is a mapping of names and values")?;
            for (name, value) in headers {
                let value = scalar_text(value)
                    .ok_or_else(|| format!("the header `{name}` needs a text as its value"))?;
                lines.push_str(&setting("header", &format!("{name}: {value}"))?);
            }
        }
        if let Some(user) = &self.url_username {
            let password = self.url_password.as_ref().map_or("", |p| p.expose());
            lines.push_str(&setting("user", &format!("{user}:{password}"))?);
        }
        Ok(Secret::new(lines))
    }

    fn outcome(&self, records: &Records) -> Outcome {
        let mut outcome = Outcome::changed(records.flag("changed"))
            .with("url", self.url.0.clone())
            .with("dest", records.text("dest").unwrap_or_default())
            .with("elapsed", records.number("elapsed").unwrap_or_default());
        if !records.flag("would") {
            outcome = attribute_data(outcome, records);
        }
        if let Some(status) = records.number("status") {
            outcome = outcome.with("status_code", status);
        }
        if let Some(backup) = records.text("backup_file") {
            outcome = outcome.with("backup_file", Value::from(backup));
        }
        outcome.warnings = warnings(records);
        outcome
    }
}

/// A line of curl's configuration.
fn setting(name: &str, value: &str) -> Result<String, String> {
    if value.contains(['\n', '\r', '\0']) {
        return Err(format!("a line break in the {name} of a request"));
    }
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    Ok(format!("{name} = \"{value}\"\n"))
}

#[cfg(test)]
#[path = "get_url_tests.rs"]
mod tests;
