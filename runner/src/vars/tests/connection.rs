//! Connection variables, keywords and the command line, and who becomes whom.

use std::path::Path;

use super::super::{
    BecomeDefaults, BecomeKeywords, ConnectionDefaults, ConnectionKeywords, becoming, connection,
};
use super::run::{PLAY, Run};
use crate::transport::{ConnectionKind, HostKeys, Method, SshSettings};

fn ssh(run: &Run, keywords: &ConnectionKeywords, defaults: &ConnectionDefaults) -> SshSettings {
    let connection = connection(&run.view("h"), "h", keywords, defaults).unwrap();
    assert_eq!(connection.name, "h");
    match connection.kind {
        ConnectionKind::Ssh(settings) => settings,
        ConnectionKind::Local => panic!("ssh was expected"),
    }
}

#[test]
fn connection_variables_win_over_keywords_and_those_over_the_command_line() {
    let keywords = ConnectionKeywords {
        remote_user: Some("keyword".to_owned()),
        connection: None,
        port: Some(2),
    };
    let defaults = ConnectionDefaults {
        user: Some("cli".to_owned()),
        private_key: Some("/cli".into()),
        common_args: Some("-o A='b c'".to_owned()),
        timeout: Some(7),
        ..ConnectionDefaults::default()
    };
    let nothing = Run::simple("h\n", PLAY);
    let settings = ssh(
        &nothing,
        &ConnectionKeywords::default(),
        &ConnectionDefaults::default(),
    );
    assert_eq!(settings, SshSettings::new("h"));
    let settings = ssh(&nothing, &ConnectionKeywords::default(), &defaults);
    assert_eq!(settings.user.as_deref(), Some("cli"));
    assert_eq!(settings.common_args, ["-o", "A=b c"]);
    assert_eq!(settings.connect_timeout.as_secs(), 7);
    let settings = ssh(&nothing, &keywords, &defaults);
    assert_eq!(
        (settings.user.as_deref(), settings.port),
        (Some("keyword"), Some(2))
    );
    let everything = Run::simple(
        "h ansible_host=10.0.0.1 ansible_port=\"{{ 2200 + 22 }}\" ansible_user=var \
         ansible_ssh_private_key_file=/ssh ansible_private_key_file=/plain ansible_password=pw \
         ansible_ssh_common_args=\"-J 'a b'\" ansible_ssh_extra_args=-v ansible_timeout=3 \
         ansible_ssh_args=-4 ansible_host_key_checking=False\n",
        PLAY,
    );
    let settings = ssh(&everything, &keywords, &defaults);
    assert_eq!(settings.address, "10.0.0.1");
    assert_eq!(
        (settings.user.as_deref(), settings.port),
        (Some("var"), Some(2222))
    );
    assert_eq!(
        settings.private_key_file.as_deref(),
        Some(Path::new("/ssh"))
    );
    assert_eq!(settings.password.unwrap().expose(), "pw");
    assert_eq!(settings.common_args, ["-4", "-J", "a b"]);
    assert_eq!(settings.extra_args, ["-v"]);
    assert_eq!(settings.connect_timeout.as_secs(), 3);
    assert_eq!(settings.host_keys, HostKeys::Off);
    // As in Ansible, the name with ssh in it counts more.
    let both = Run::simple(
        "h ansible_ssh_host=a ansible_host=b ansible_ssh_host_key_checking=accept-new\n",
        PLAY,
    );
    let settings = ssh(&both, &keywords, &defaults);
    assert_eq!(
        (settings.address.as_str(), settings.host_keys),
        ("a", HostKeys::AcceptNew)
    );
}

#[test]
fn local_connections_come_from_variables_and_keywords() {
    let run = Run::simple("h ansible_connection=local\ni\n", PLAY);
    let local = |host: &str, connection_keyword: Option<&str>| {
        let keywords = ConnectionKeywords {
            connection: connection_keyword.map(str::to_owned),
            ..ConnectionKeywords::default()
        };
        let defaults = ConnectionDefaults::default();
        connection(&run.view(host), host, &keywords, &defaults)
            .unwrap()
            .kind
            == ConnectionKind::Local
    };
    assert!(local("h", None));
    assert!(!local("i", None));
    assert!(local("i", Some("ansible.builtin.local")));
    assert!(local("localhost", None));
}

#[test]
fn connection_variables_of_wrong_values_are_told_with_their_place() {
    let mut told = String::new();
    for (name, value) in [
        ("ansible_port", "ssh"),
        ("ansible_port", "70000"),
        ("ansible_port", "0"),
        ("ansible_user", "\"['a']\""),
        ("ansible_timeout", "soon"),
        ("ansible_timeout", "4000000000000000000"),
        ("ansible_ssh_common_args", "\"-o 'x\""),
        ("ansible_host_key_checking", "maybe"),
        ("ansible_connection", "winrm"),
        ("ansible_become", "perhaps"),
        ("ansible_become_method", "pbrun"),
        ("ansible_host", "\"{{ nope }}\""),
    ] {
        let run = Run::simple(&format!("h ansible_become=yes {name}={value}\n"), PLAY);
        let scope = run.view("h");
        let keywords = ConnectionKeywords::default();
        let connected = connection(&scope, "h", &keywords, &ConnectionDefaults::default());
        let become_error = becoming(
            &scope,
            &BecomeKeywords::default(),
            &BecomeDefaults::default(),
        );
        let error = connected.err().or(become_error.err()).expect(name);
        told.push_str(&run.text_of(&error));
        told.push('\n');
    }
    insta::assert_snapshot!(told);
}

#[test]
fn becoming_is_asked_for_by_variables_keywords_or_the_command_line() {
    let run = Run::simple(
        "h\nv ansible_become=true ansible_become_user=var ansible_become_password=pw \
         ansible_become_flags=\"-H -n\" ansible_become_exe=/bin/sudo\n\
         s ansible_become=1 ansible_sudo_user=sudo ansible_become_user=plain ansible_sudo_pass=own \
         ansible_become_pass=other\nn ansible_become=no\nu ansible_become=yes ansible_become_method=su ansible_su_user=su\n",
        PLAY,
    );
    let user = |host: &str, keywords: &BecomeKeywords, defaults: &BecomeDefaults| {
        becoming(&run.view(host), keywords, defaults).unwrap()
    };
    let (none, yes) = (
        BecomeDefaults::default(),
        BecomeDefaults {
            r#become: true,
            ..BecomeDefaults::default()
        },
    );
    let nothing = BecomeKeywords::default();
    let keywords = BecomeKeywords {
        r#become: Some(true),
        user: Some("keyword".to_owned()),
        flags: Some("-E 'a b'".to_owned()),
        ..BecomeKeywords::default()
    };
    assert_eq!(user("h", &nothing, &none), None);
    assert_eq!(user("n", &keywords, &yes), None);
    let root = user("h", &nothing, &yes).unwrap();
    assert_eq!((root.user.as_str(), root.method), ("root", Method::Sudo));
    let by_keyword = user("h", &keywords, &none).unwrap();
    assert_eq!(
        (by_keyword.user.as_str(), by_keyword.flags),
        ("keyword", vec!["-E".into(), "a b".into()])
    );
    let by_variable = user("v", &keywords, &none).unwrap();
    assert_eq!(by_variable.user, "var");
    assert_eq!(by_variable.password.unwrap().expose(), "pw");
    assert_eq!(by_variable.flags, ["-H", "-n"]);
    assert_eq!(by_variable.executable.as_deref(), Some("/bin/sudo"));
    let own = user("s", &nothing, &none).unwrap();
    assert_eq!(
        (own.user.as_str(), own.password.unwrap().expose()),
        ("sudo", "own")
    );
    let su = user("u", &nothing, &none).unwrap();
    assert_eq!((su.user.as_str(), su.method), ("su", Method::Su));
}
