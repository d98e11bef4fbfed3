;; Writes a verdict of its own to stdout, then accepts.
(module
  (import "wapc" "__guest_response" (func $response (param i32 i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (data (i32.const 128) "\90\00\00\00\12\00\00\00") ;; one vector: 18 bytes at 144
  (data (i32.const 144) "{\22summary\22:\22fake\22}")
  (memory (export "memory") 1)
  (data (i32.const 0) "{\22valid\22:true}")
  (data (i32.const 32) "{\22accepted\22:true}")
  (func (export "__guest_call") (param $operation i32) (param $message i32) (result i32)
    (if (i32.eq (local.get $operation) (i32.const 17)) ;; validate_settings
      (then (call $response (i32.const 0) (i32.const 14)) (return (i32.const 1))))
    (drop (call $write (i32.const 1) (i32.const 128) (i32.const 1) (i32.const 160)))
    (call $response (i32.const 32) (i32.const 17)) (i32.const 1)))
