;; Asks a registry while it is initialised, and accepts everything.
(module
  (import "wapc" "__guest_response" (func $response (param i32 i32)))
  (import "wapc" "__host_call" (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "{\22valid\22:true}")
  (data (i32.const 32) "{\22accepted\22:true}")
  (data (i32.const 64) "kubewarden")
  (data (i32.const 80) "oci")
  (data (i32.const 96) "v1/manifest_digest")
  (data (i32.const 128) "\22app\22")
  (func (export "wapc_init")
    (drop (call $host_call
      (i32.const 64) (i32.const 10) (i32.const 80) (i32.const 3) (i32.const 96) (i32.const 18)
      (i32.const 128) (i32.const 5))))
  (func (export "__guest_call") (param $operation i32) (param $message i32) (result i32)
    (if (i32.eq (local.get $operation) (i32.const 17)) ;; validate_settings
      (then (call $response (i32.const 0) (i32.const 14)) (return (i32.const 1))))
    (call $response (i32.const 32) (i32.const 17)) (i32.const 1)))
