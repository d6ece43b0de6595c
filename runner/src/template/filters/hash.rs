//! Checksums, password hashes and identifiers.

use std::fmt::Write as _;

use md5::Md5;
use minijinja::Value;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function};
use crate::template::python::string;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("hash", hash, 1, ["hashtype"]),
    filter!("md5", md5, 1, []),
    filter!("sha1", sha1, 1, []),
    filter!("checksum", sha1, 1, []),
    filter!(
        "password_hash",
        password_hash,
        1,
        ["hashtype", "salt", "salt_size", "rounds", "ident"]
    ),
    filter!("to_uuid", to_uuid, 1, ["namespace"]),
];

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// A digest by its name, in hexadecimal.
fn digest(name: &str, data: &[u8]) -> Option<String> {
    Some(match name {
        "md5" => hex(&Md5::digest(data)),
        "sha1" => hex(&Sha1::digest(data)),
        "sha224" => hex(&Sha224::digest(data)),
        "sha256" => hex(&Sha256::digest(data)),
        "sha384" => hex(&Sha384::digest(data)),
        "sha512" => hex(&Sha512::digest(data)),
        _ => return None,
    })
}

fn data(input: &BoundArguments<'_, '_>) -> Result<Vec<u8>> {
    match input.value(0).as_bytes() {
        Some(data) => Ok(data.to_vec()),
        None => input.text(0).map(String::into_bytes),
    }
}

fn hash(input: &mut BoundArguments<'_, '_>) -> Result {
    let name = input.optional_text(1).unwrap_or_else(|| "sha1".to_owned());
    match digest(&name, &data(input)?) {
        Some(text) => Ok(text.into()),
        None => Err(input
            .error(format_args!("knows no hash '{name}'"))
            .hint("it knows md5, sha1, sha224, sha256, sha384 and sha512")),
    }
}

fn md5(input: &mut BoundArguments<'_, '_>) -> Result {
    Ok(hex(&Md5::digest(data(input)?)).into())
}

fn sha1(input: &mut BoundArguments<'_, '_>) -> Result {
    Ok(hex(&Sha1::digest(data(input)?)).into())
}

/// Rounds of Python's passlib, where none are asked for.
const SHA256_ROUNDS: u32 = 535_000;
const SHA512_ROUNDS: u32 = 656_000;
/// Rounds for a short password that take some seconds.
const MOST_WORK: u64 = 50_000_000;
const SALT_LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn password_hash(input: &mut BoundArguments<'_, '_>) -> Result {
    let password = input.text(0)?;
    let kind = input
        .optional_text(1)
        .unwrap_or_else(|| "sha512".to_owned());
    let (sha512, default) = match kind.as_str() {
        "sha512" | "sha512_crypt" => (true, SHA512_ROUNDS),
        "sha256" | "sha256_crypt" => (false, SHA256_ROUNDS),
        other => {
            return Err(input
                .error(format_args!("makes no hash of the kind '{other}'"))
                .hint("use sha512 or sha256"));
        }
    };
    let rounds = match input.get(4) {
        Some(rounds) if !rounds.is_none() => u32::try_from(input.int_or(4, 0)?).unwrap_or(default),
        _ => default,
    };
    let size = match input.get(3) {
        Some(size) if !size.is_none() => usize::try_from(input.int_or(3, 16)?)
            .unwrap_or(16)
            .clamp(1, 16),
        _ => 16,
    };
    let salt = input.optional_text(2);
    if salt.is_none() {
        input.later()?;
    }
    let salt = salt.unwrap_or_else(|| {
        (0..size)
            .map(|_| char::from(SALT_LETTERS[usize::from(rand::random::<u8>() % 64)]))
            .collect()
    });
    // As passlib has it; what it costs grows with the length of the password and with the rounds.
    if password.len() > 4096 {
        return Err(input.error("hashes passwords of at most 4096 bytes"));
    }
    if u64::from(rounds) * (1 + password.len() as u64 / 64) > MOST_WORK {
        return Err(input
            .error(format_args!("would take minutes for {rounds} rounds"))
            .hint("leave 'rounds' out: what is taken then is the default of Python's passlib"));
    }
    if salt.len() > 16 || !salt.bytes().all(|letter| SALT_LETTERS.contains(&letter)) {
        return Err(input.error("needs a salt of at most 16 letters, digits, dots and slashes"));
    }
    crypt(&password, &salt, rounds, sha512)
        .map(Value::from)
        .ok_or_else(|| {
            input
                .error(format_args!("cannot hash with {rounds} rounds"))
                .hint("rounds are between 1000 and 999999999")
        })
}

/// The hash of a password as `/etc/shadow` holds it.
fn crypt(password: &str, salt: &str, rounds: u32, sha512: bool) -> Option<String> {
    let count = usize::try_from(rounds).ok()?;
    let (password, salted) = (password.as_bytes(), salt.as_bytes());
    let (prefix, hash) = if sha512 {
        let params = sha_crypt::Sha512Params::new(count).ok()?;
        (
            "6",
            sha_crypt::sha512_crypt_b64(password, salted, &params).ok()?,
        )
    } else {
        let params = sha_crypt::Sha256Params::new(count).ok()?;
        (
            "5",
            sha_crypt::sha256_crypt_b64(password, salted, &params).ok()?,
        )
    };
    // The count that every implementation assumes is not written.
    Some(match rounds {
        5000 => format!("${prefix}${salt}${hash}"),
        _ => format!("${prefix}$rounds={rounds}${salt}${hash}"),
    })
}

/// Ansible's own namespace of identifiers.
const NAMESPACE: &str = "361E6D51-FAEC-444A-9079-341386DA8E2E";

fn to_uuid(input: &mut BoundArguments<'_, '_>) -> Result {
    let namespace = input
        .optional_text(1)
        .unwrap_or_else(|| NAMESPACE.to_owned());
    let digits: String = namespace.chars().filter(char::is_ascii_hexdigit).collect();
    let space: Option<Vec<u8>> = (0..16)
        .map(|index| u8::from_str_radix(digits.get(index * 2..index * 2 + 2)?, 16).ok())
        .collect();
    let mut hasher = Sha1::new();
    hasher.update(
        space.ok_or_else(|| input.error(format_args!("got '{namespace}', which is not a UUID")))?,
    );
    hasher.update(string(&input.value(0)).as_bytes());
    let mut id: [u8; 16] = [0; 16];
    id.copy_from_slice(&hasher.finalize()[..16]);
    id[6] = (id[6] & 0x0f) | 0x50;
    id[8] = (id[8] & 0x3f) | 0x80;
    let text = hex(&id);
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
    .into())
}
