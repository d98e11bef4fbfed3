;; Calls a host that is not Kubewarden, and fails with the host's own words.
(module
  (import "wapc" "__guest_response" (func $response (param i32 i32)))
  (import "wapc" "__host_call" (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_error_len" (func $error_length (result i32)))
  (import "wapc" "__host_error" (func $error_text (param i32)))
  (import "wapc" "__guest_error" (func $error (param i32 i32)))
  (data (i32.const 128) "elsewhere")
  (memory (export "memory") 1)
  (data (i32.const 0) "{\22valid\22:true}")
  (data (i32.const 32) "{\22accepted\22:true}")
  (func (export "__guest_call") (param $operation i32) (param $message i32) (result i32)
    (if (i32.eq (local.get $operation) (i32.const 17)) ;; validate_settings
      (then (call $response (i32.const 0) (i32.const 14)) (return (i32.const 1))))
    (drop (call $host_call (i32.const 128) (i32.const 9) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
    (call $error_text (i32.const 256))
    (call $error (i32.const 256) (call $error_length))
    (i32.const 0)))
