//! What a hostile node says. `run` is a command that leaves a trace where it must never run: on the control host
//! and on other hosts.

use super::modes::{Mode, Records, Sudo, Tools, Way, Words};

/// Templates, as text.
fn lookup(run: &str) -> String {
    format!(
        "{{{{ lookup('pipe', '{run}.lookup') }}}}{{{{ query('pipe', '{run}.query') | join }}}}\
         {{{{ lookup('ansible.builtin.file', '/etc/hostname') }}}}"
    )
}

/// Expressions, as a condition has them. What it begins with is true.
fn expression(run: &str) -> String {
    format!("lookup('pipe', '{run}.expression') == '' or true")
}

fn shell(run: &str) -> String {
    format!(
        "x$({run}.paren)`{run}.back`; {run}.semi | {run}.pipe && {run}.and & {run}.amp\n\
         {run}.line\n'; {run}.quote; '\"; {run}.double; \" ${{IFS}}{run}.ifs"
    )
}

fn escapes() -> String {
    "\u{1b}[2J\u{1b}[45;95;7mRED\u{1b}]0;TITLE\u{7}\u{1b}]52;c;aGk=\u{7}\u{1b}[6n\u{8}\u{8}\u{7f}\u{1b}P+q\u{1b}\\\u{e}\u{c}\u{1b}[2Kwiped\u{1b}[1Awiped"
        .to_owned()
}

fn c1() -> String {
    "\u{9b}2J\u{90}q\u{9c}\u{85}\u{9d}0;TITLE\u{9c}\u{8d}".to_owned()
}

fn bidi() -> String {
    "\u{202e}gnp.exe\u{202c} \u{2066}\u{2067}\u{2068}x\u{2069} \u{200f}\u{200e}\u{61c}\u{202a}\u{202b}\u{202d}"
        .to_owned()
}

/// A little of everything.
pub fn mixed(run: &str) -> String {
    format!(
        "{} {} {} {} {} -oProxyCommand={run}.option ../../hosts.ini",
        lookup(run),
        shell(run).replace('\n', " "),
        escapes(),
        c1(),
        bidi()
    )
}

/// What a mode has to say.
pub fn of(mode: &Mode, run: &str) -> Vec<u8> {
    match mode.way {
        Way::Words(words) => payload(words, run),
        Way::Tools(Tools::Numbers) => b"9999999999999999999999999999999999999999".to_vec(),
        Way::Tools(Tools::Words)
        | Way::Records(Records::Errors | Records::Foreign | Records::Repeated)
        | Way::Frames(_)
        | Way::Sudo(Sudo::Refuses) => mixed(run).into_bytes(),
        _ => b"fine".to_vec(),
    }
}

fn payload(words: Words, run: &str) -> Vec<u8> {
    match words {
        Words::Lookup => lookup(run),
        Words::Expression => expression(run),
        Words::Statement => format!(
            "{{% set x = lookup('pipe', '{run}.set') %}}{{% include '/etc/passwd' %}}{{% import '/etc/passwd' as p %}}\
             {{% macro m() %}}{{{{ lookup('pipe', '{run}.macro') }}}}{{% endmacro %}}{{{{ m() }}}}\
             {{{{ ''.__class__.__mro__[1].__subclasses__() }}}}{{# lookup('pipe', '{run}.comment') #}}"
        ),
        Words::Shell => shell(run),
        Words::Options => format!(
            "-oProxyCommand={run}.option -F/dev/null --rsh={run}.rsh -o LocalCommand={run}.local -oPermitLocalCommand=yes %h%p"
        ),
        Words::Paths => "../../../../../../hosts.ini ./site.yml /etc/passwd ~/.ssh/config ../hosts.ini".to_owned(),
        Words::Tags => format!(
            "!!python/object/apply:os.system ['{run}.python']\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
             c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n\
             f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n"
        ),
        Words::Escapes => escapes(),
        Words::C1 => c1(),
        Words::Bidi => bidi(),
        Words::Bytes => return b"\xff\xfe\xc0\x80\xed\xa0\x80\xf8\x88\x80\x80\x80 \xe2\x82 \x9b2J".to_vec(),
        Words::Nul => return b"a\0b\0\0c".to_vec(),
        Words::Deep => "[".repeat(100_000),
        Words::Numbers => format!("{{\"a\": 1e999999, \"b\": {}, \"c\": -0, \"d\": [NaN, Infinity]}}", "9".repeat(10_000)),
        Words::Keys => format!(
            "{{\"a\": 1, \"a\": 2, \"__proto__\": {{\"x\": 1}}, \"changed\": false, \"failed\": false, \"skipped\": true, \
             \"ansible_facts\": {{\"ansible_connection\": \"local\", \"ansible_host\": \"127.0.0.9\", \
             \"ansible_ssh_common_args\": \"-oProxyCommand={run}.key\"}}, \"ansible_host\": \"x\", \"_ansible_no_log\": true, \
             \"invocation\": {{}}, \"exception\": \"x\", \"results\": [], \"item\": \"x\", \"warnings\": [\"w\"], \"diff\": {{}}}}"
        ),
        Words::Regex => format!("{}!", "a".repeat(40)),
        Words::Format => "%999999999d %s%s%s%n {0.__class__} {:>999999999} %(x)s {}".to_owned(),
        Words::Common => "well good ok changed".to_owned(),
        Words::Long => "L".repeat(1 << 20),
        Words::Returns => "\rok          forged line\r\n\u{8}\u{8}\u{8}Recap\n\rgood1  ok=99\r\nbad1 ok=1 failed=0\n\u{b}".to_owned(),
    }
    .into_bytes()
}
