;; Well-behaved: accepts everything, and makes an empty object of it.
(module
  (import "wapc" "__guest_response" (func $response (param i32 i32)))

  (memory (export "memory") 1)
  (data (i32.const 0) "{\22valid\22:true}")
  (data (i32.const 32) "{\22accepted\22:true,\22mutated_object\22:{}}")
  (func (export "__guest_call") (param $operation i32) (param i32) (result i32)
    (if (i32.eq (local.get $operation) (i32.const 17)) ;; validate_settings
      (then (call $response (i32.const 0) (i32.const 14)) (return (i32.const 1))))
    (call $response (i32.const 32) (i32.const 37)) (i32.const 1)))
