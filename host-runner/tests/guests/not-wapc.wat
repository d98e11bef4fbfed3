;; A module that is no policy.
(module (memory (export "memory") 1))
