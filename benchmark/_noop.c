/* An empty Node-API function: the yardstick for targets that were written for another machine. On purpose none of our own code. */
#include "_napi.h"

static napi_value noop(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  return NULL;
}

EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function = exports;
  napi_create_function(env, "noop", 4, noop, NULL, &function);
  return function;
}
