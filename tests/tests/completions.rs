//! `windlass completions`: what shells complete by.

use windlass_tests::program::Place;

#[test]
fn completions_know_subcommands_and_modules() {
    let place = Place::new();
    // What is written for fish has no words for arguments that are no options.
    for (shell, modules) in [("bash", true), ("zsh", true), ("fish", false)] {
        let printed = place.run(&["completions", shell]);
        assert_eq!(printed.status, 0, "{shell}: {}", printed.err);
        for word in ["inventory", "completions", "extra-vars"] {
            assert!(printed.out.contains(word), "{shell}: {word}");
        }
        for word in ["kubeadm_init", "lineinfile"] {
            assert_eq!(printed.out.contains(word), modules, "{shell}: {word}");
        }
    }
    let printed = place.run(&["completions", "tcl"]);
    assert_eq!(printed.status, 1, "{}", printed.err);
}

/// What is printed for bash is what bash reads, and what it then offers.
#[test]
fn bash_completes_the_name_of_a_module() {
    let place = Place::new();
    let printed = place.run(&["completions", "bash"]);
    place.write("windlass.bash", &printed.out);
    let script = "source ./windlass.bash\n\
                  COMP_WORDS=(windlass doc kubeadm_t) COMP_CWORD=2\n\
                  _windlass windlass kubeadm_t doc\n\
                  printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    let output = std::process::Command::new("bash")
        .args(["-c", script])
        .current_dir(place.path())
        .output()
        .expect("bash is there");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "kubeadm_token\n");
}
