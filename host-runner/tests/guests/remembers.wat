;; Accepts as long as nothing was asked of the same instance before.
(module
  (import "wapc" "__guest_response" (func $response (param i32 i32)))

  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 0) "{\22valid\22:true}")
  (data (i32.const 32) "{\22accepted\22:true}")
  (data (i32.const 64) "{\22accepted\22:false}")
  (func (export "__guest_call") (param $operation i32) (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (i32.eq (local.get $operation) (i32.const 17)) ;; validate_settings
      (then (call $response (i32.const 0) (i32.const 14)) (return (i32.const 1))))
    (if (i32.gt_u (global.get $calls) (i32.const 1))
      (then (call $response (i32.const 64) (i32.const 18)) (return (i32.const 1))))
    (call $response (i32.const 32) (i32.const 17)) (i32.const 1)))
