;; Asks for the Namespace `shop`, and answers with what it is told: the answer as its own, or the error as its own.
(module
  (import "wapc" "__guest_response" (func $response (param i32 i32)))
  (import "wapc" "__guest_error" (func $error (param i32 i32)))
  (import "wapc" "__host_call" (func $host_call (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wapc" "__host_response_len" (func $host_response_len (result i32)))
  (import "wapc" "__host_response" (func $host_response (param i32)))
  (import "wapc" "__host_error_len" (func $host_error_len (result i32)))
  (import "wapc" "__host_error" (func $host_error (param i32)))

  (memory (export "memory") 1)
  (data (i32.const 0) "{\22valid\22:true}")
  (data (i32.const 16) "kubewarden")
  (data (i32.const 32) "kubernetes")
  (data (i32.const 48) "get_resource")
  (data (i32.const 64) "{\22api_version\22:\22v1\22,\22kind\22:\22Namespace\22,\22name\22:\22shop\22,\22disable_cache\22:false}")
  (func (export "__guest_call") (param $operation i32) (param i32) (result i32)
    (if (i32.eq (local.get $operation) (i32.const 17)) ;; validate_settings
      (then (call $response (i32.const 0) (i32.const 14)) (return (i32.const 1))))
    (if (call $host_call (i32.const 16) (i32.const 10) (i32.const 32) (i32.const 10) (i32.const 48) (i32.const 12) (i32.const 64) (i32.const 75))
      (then
        (call $host_response (i32.const 1024))
        (call $response (i32.const 1024) (call $host_response_len))
        (return (i32.const 1))))
    (call $host_error (i32.const 1024))
    (call $error (i32.const 1024) (call $host_error_len))
    (i32.const 0)))
