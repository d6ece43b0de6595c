//! Variables that need themselves, and chains that are too long.

use super::run::{PLAY, Run};

#[test]
fn a_variable_that_needs_itself_is_told_with_the_whole_chain() {
    let run = Run::simple(
        "h\n",
        "- hosts: all\n  vars:\n    a: '{{ b }}'\n    b: 'x{{ c }}'\n    c: '{{ a }}'\n  tasks:\n    - debug:\n",
    );
    let error = run.evaluate("h", "c").unwrap_err();
    insta::assert_snapshot!(run.text_of(&error));
    // The next use is told the same.
    assert!(
        run.evaluate("h", "a")
            .unwrap_err()
            .message
            .contains("a → b → c → a")
    );
}

#[test]
fn circles_through_hostvars_are_told_too() {
    let run = Run::simple(
        "h v=\"{{ hostvars.i.v }}\"\ni v=\"{{ hostvars['h'].v }}\"\n[all:vars]\nme=\"{{ hostvars[inventory_hostname].me }}\"\n",
        PLAY,
    );
    insta::assert_snapshot!(run.text_of(&run.evaluate("h", "v").unwrap_err()));
    assert!(
        run.evaluate("h", "me")
            .unwrap_err()
            .message
            .contains("defined by itself")
    );
}

#[test]
fn a_long_chain_of_variables_is_an_error_and_no_overflow() {
    let mut inventory = "h v0=end\n[all:vars]\n".to_owned();
    for number in 1..2000 {
        inventory.push_str(&format!("v{number}={{{{ v{} }}}}\n", number - 1));
    }
    let run = Run::simple(&inventory, PLAY);
    assert_eq!(run.evaluate("h", "v30").unwrap(), "end");
    let error = run.evaluate("h", "v1999").unwrap_err();
    assert!(
        error.message.contains("more than 40 variables"),
        "{}",
        error.message
    );
}

#[test]
fn an_environment_that_needs_itself_is_an_error_and_no_overflow() {
    let run = Run::simple(
        "h\n",
        "- hosts: all\n  environment: {A: '{{ environment }}'}\n  tasks:\n    - debug:\n",
    );
    insta::assert_snapshot!(run.text_of(&run.evaluate("h", "environment").unwrap_err()));
}
