//! Argument types that read values as leniently as Ansible does.
