;; Reports an error that is no UTF-8.
(module
  (import "wapc" "__guest_response" (func $response (param i32 i32)))
  (import "wapc" "__guest_error" (func $error (param i32 i32)))
  (data (i32.const 64) "\ff\fe")
  (memory (export "memory") 1)
  (data (i32.const 0) "{\22valid\22:true}")
  (data (i32.const 32) "{\22accepted\22:true}")
  (func (export "__guest_call") (param $operation i32) (param $message i32) (result i32)
    (if (i32.eq (local.get $operation) (i32.const 17)) ;; validate_settings
      (then (call $response (i32.const 0) (i32.const 14)) (return (i32.const 1))))
    (call $error (i32.const 64) (i32.const 2)) (i32.const 0)))
