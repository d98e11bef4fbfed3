;; A WASI program that takes any settings, and ends with an error when it is asked for a verdict.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (memory (export "memory") 1)
  (data (i32.const 32) "out of cheese")
  (data (i32.const 64) "{\22valid\22:true}")
  (func $write (param $fd i32) (param $text i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $text))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    ;; `policy.wasm` and `validate-settings` are longer than `policy.wasm` and `validate`.
    (if (i32.gt_u (i32.load (i32.const 20)) (i32.const 21))
      (then (call $write (i32.const 1) (i32.const 64) (i32.const 14)) (return)))
    (call $write (i32.const 2) (i32.const 32) (i32.const 13))
    (call $proc_exit (i32.const 7))))
