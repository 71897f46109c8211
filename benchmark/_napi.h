/* What the benchmark's own addons have in common: as much of Node-API as both need. The headers of Node need not be installed. */
#include <stddef.h>

typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

extern int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
